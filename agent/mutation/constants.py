"""Literal numbers: other values, and tables of values in their place."""

from __future__ import annotations

from random import Random

import libcst as cst

from agent.mutation.folding import like
from agent.mutation.literals import nudged, signed
from agent.mutation.tables import LONGEST, digit, lookup, stride, together
from agent.mutation.tree import Place, Tree, code, literal, operand

LENGTHS = (4, 8, 16, *(17 * [32]))
"""Of a new table, in values."""


def change_constant(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """Another value for a literal: near it, its opposite, its half or double, or, for ints, one more or less."""
    places = tree.constants
    if not places:
        return None
    place = rng.choice(places)
    if isinstance(place.node, cst.Float):
        value = float(place.node.value)
        chance = rng.random()
        new = -value if chance < 0.04 else value * rng.choice((0.25, 0.5, 2.0, 4.0)) if chance < 0.35 else nudged(value, rng)
        return tree.put(place.path, cst.parse_expression(signed(new)))
    assert isinstance(place.node, cst.Integer)
    whole = int(place.node.value, 0)
    chance = rng.random()
    if chance < 0.25 and place.role == "number":
        return tree.put(place.path, cst.parse_expression(signed(nudged(float(whole), rng))))
    step = whole + rng.choice((-2, -1, 1, 2)) if chance < 0.85 else rng.choice((whole * 2, whole // 2, -whole))
    return tree.put(place.path, cst.parse_expression(f"({step})" if step < 0 else str(step)))


def lengthen_table(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A longer table, or one value for each turn where one served several; what it repeated stays so but for a change."""
    places = [place for place in tree.tables if lookup(place, tree)]
    if not places:
        return None
    place = rng.choice(places)
    values = tree.table(place)
    counter, each = digit(lookup(place, tree))
    if each > 1:
        values = [value for value in values for _ in range(each)]
    else:
        length = min(len(values) * 2, len(values) + rng.choice((1, 2, 4, 8, 16, 32)))
        values = [values[k % len(values)] for k in range(length)]
    if len(values) > LONGEST:
        return None
    shift = rng.gauss(0, stride(values, rng))
    for k in together(len(values), rng) if rng.random() < 0.6 else (rng.randrange(len(values)),):
        values[k] += shift
    return tree.put(place.path[:-1], looked_up(values, counter))


def shorten_table(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A table without its last few values, if others would stand for them: equal ones have not had their turn to change."""
    places = [place for place in tree.tables if lookup(place, tree) and len(tree.table(place)) > 2]
    if not places:
        return None
    place = rng.choice(places)
    values = tree.table(place)
    kept = max(2, len(values) - rng.randint(1, max(1, len(values) // 4)))
    if any(values[k] == values[k % kept] for k in range(kept, len(values))):
        return None
    return tree.put(place.path[:-1], looked_up(values[:kept], lookup(place, tree)))


def specialise(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A table in place of a constant in a loop, or added to a number in a loop: one value for each turn, one or two changed."""
    assigned = [place for place in _assigned(tree) if place.scope.counters]
    taken = [place.path for place in assigned if "[" in code(place.node)]
    plain = [place for place in assigned if place.path not in taken]
    floats = [place for place in tree.numbers if place.scope.counters and isinstance(place.node, cst.Float)]
    literals = [place for place in floats if not any(place.path[: len(path)] == path for path in taken)]
    either = plain if plain and (not literals or rng.random() < 0.6) else literals
    if not either:
        return None
    place = rng.choice(either)
    counter, length = _turns(tree, place, rng)
    assert isinstance(place.node, cst.BaseExpression)
    value = literal(place.node)
    values = [value or 0.0] * length
    for k in rng.sample(range(length), rng.choice((1, 1, 2))):
        values[k] += rng.gauss(0, stride(values, rng))
    new = looked_up(values, counter)
    if value is None:
        new = cst.parse_expression(f"({operand(place.node)} + {code(new)})")
    return tree.put(place.path, new)


def tabulate(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A value of its own for every turn: added to each number that a loop assigns, and one more argument where that is a min or max."""
    plain = [place for place in _assigned(tree) if place.scope.counters and "[" not in code(place.node)]
    limited = [place for place in tree.calls if _limits(place) and place.scope.counters and "[" not in code(place.node)]
    if not plain and not limited:
        return None
    first = rng.choice([*plain, *limited])
    counter, length = rng.choice(first.scope.counters), max(LENGTHS)
    turn, size, limit = rng.randrange(length), 10 ** rng.uniform(-1.75, -0.5), 10 ** rng.uniform(-1.5, 0.5)
    module = tree.module
    for place in [*plain, *limited]:
        if place.path[:-3] != first.path[:-3] or counter not in place.scope.counters:
            continue
        if isinstance(place.node, cst.Call):
            given = [*(code(each.value) for each in place.node.args), code(looked_up([limit] * length, counter))]
            new = cst.parse_expression(f"{code(place.node.func)}({', '.join(given)})")
        else:
            assert isinstance(place.node, cst.BaseExpression)
            values = [0.0] * length
            values[turn] = rng.gauss(0, size)
            new = cst.parse_expression(f"({operand(place.node)} + {code(looked_up(values, counter))})")
        module = Tree(module, "").put(place.path, new)
    return module


def _limits(place: Place) -> bool:
    """Whether a call is a min or max of several that is assigned to a name."""
    call = place.node
    assert isinstance(call, cst.Call)
    named = isinstance(call.func, cst.Name) and call.func.value in ("min", "max") and len(call.args) > 1
    return named and place.path[-1][0] == "value" and place.path[-2][0] == "body"


def _assigned(tree: Tree) -> list[Place]:
    """The numbers that are assigned to names, in loops."""
    return [place for place in tree.numbers if place.scope.depth and place.role == "value" and place.path[-2][0] == "body"]


def _turns(tree: Tree, place: Place, rng: Random) -> tuple[str, int]:
    """What a new table is looked up by, and its length: often as another table of the same function is."""
    others = [(lookup(other, tree), len(tree.table(other))) for other in tree.tables]
    alike = [(counter, length) for counter, length in others if counter in place.scope.counters]
    if alike and rng.random() < 0.95:
        counter, length = rng.choice(alike)
        return (counter, length) if rng.random() < 0.9 or length > 16 else (f"{counter} // {length}", rng.choice(LENGTHS[:3]))
    counter = rng.choice(place.scope.counters)
    if rng.random() < 0.2:
        counter = f"{counter} // {rng.choice(LENGTHS[:3])}"
    return counter, rng.choice(LENGTHS)


def looked_up(values: list[float], counter: str) -> cst.BaseExpression:
    """`(a, b, c)[counter % 3]`."""
    return cst.parse_expression(f"{like('()', values)}[{counter} % {len(values)}]")
