"""Literal numbers: other values, and tables of values in their place."""

from __future__ import annotations

import math
from random import Random

import libcst as cst

from agent.mutation.tree import Place, Tree, code, get, literal, operand, table

SCALES = (0.003, 0.02, 0.1, 0.4, 1.2)
"""How far a number moves, relative to itself, in one draw."""
SHIFTS = (0.001, 0.01, 0.05, 0.3)
"""How far a number moves, in units, in one draw."""
SMALLEST, LARGEST = -3.5, -0.5
"""The decimal logarithm of how far a value of a table moves, at least and at most, relative to the table's reach or in units."""
LENGTHS = (4, 8, 16, 32, 32, 32, 32, 32)
LONGEST = 36


def number(value: float) -> str:
    """A literal of about six digits. Negative ones are in parentheses."""
    short = float(f"{value:.6g}")
    return f"({short!r})" if short < 0 or str(short)[0] == "-" else repr(short)


def nudged(value: float, rng: Random) -> float:
    """A number near a number, on one of several scales."""
    if value == 0 or rng.random() < 0.4:
        return value + rng.gauss(0, rng.choice(SHIFTS))
    return value * math.exp(rng.gauss(0, rng.choice(SCALES)))


def written(values: list[float]) -> cst.BaseExpression:
    """A table as source."""
    return cst.parse_expression("(" + ", ".join(number(value).strip("()") for value in values) + ")")


def change_constant(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """Another value for a literal: near it, its opposite, its half or double, or, for ints, one more or less."""
    places = tree.constants
    if not places:
        return None
    place = rng.choice(places)
    if isinstance(place.node, cst.Float):
        value = float(place.node.value)
        chance = rng.random()
        new = -value if chance < 0.04 else value * rng.choice((0.25, 0.5, 2.0, 4.0)) if chance < 0.2 else nudged(value, rng)
        return tree.put(place.path, cst.parse_expression(number(new)))
    assert isinstance(place.node, cst.Integer)
    whole = int(place.node.value, 0)
    chance = rng.random()
    if chance < 0.25 and place.role == "number":
        return tree.put(place.path, cst.parse_expression(number(nudged(float(whole), rng))))
    step = whole + rng.choice((-2, -1, 1, 2)) if chance < 0.85 else rng.choice((whole * 2, whole // 2, -whole))
    return tree.put(place.path, cst.parse_expression(f"({step})" if step < 0 else str(step)))


def change_table(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """One or two other values in a table: near what they were, swapped, alike, or anywhere within its reach."""
    if not tree.tables:
        return None
    place = rng.choice(tree.tables)
    values = table(place.node) or []
    i, j = rng.sample(range(len(values)), 2)
    chance = rng.random()
    if chance < 0.05:
        values[i], values[j] = values[j], values[i]
    elif chance < 0.1:
        values[i] = values[j]
    elif chance < 0.17:
        values[i] = min(values) + rng.random() * reach_of(values)
    else:
        step = stride(values, rng)
        for k in (i,) if chance < 0.7 else (i, j):
            values[k] += rng.gauss(0, step)
    return tree.put(place.path, written(values))


def change_group(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """Many values of a table at once: those that are close, a run of them, or all beyond a point."""
    if not tree.tables:
        return None
    place = rng.choice(tree.tables)
    values = table(place.node) or []
    reach, pivot, chance = reach_of(values), rng.choice(values), rng.random()
    shift = rng.gauss(0, stride(values, rng))
    close = reach * rng.choice((0.02, 0.06, 0.12, 0.25))
    if chance < 0.4:
        values = [value + shift if abs(value - pivot) <= close else value for value in values]
    elif chance < 0.5:
        values = [pivot + shift if abs(value - pivot) <= close else value for value in values]
    elif chance < 0.65:
        side = rng.choice((-1, 1))
        values = [value + shift if side * (value - pivot) >= 0 else value for value in values]
    elif chance < 0.75:
        values = [pivot + (1 + shift / reach) * (value - pivot) for value in values]
    elif chance < 0.85:
        values = [value + rng.gauss(0, abs(shift)) for value in values]
    else:
        for k in _together(len(values), rng):
            values[k] += shift
    return tree.put(place.path, written(values))


def _together(length: int, rng: Random) -> range:
    """A run of places in a table, or every so many-th of them."""
    first, step = rng.randrange(length), rng.choice((1, 1, 2, 3, 4, 5, 6))
    return range(first, length if step > 1 else min(length, first + rng.randint(2, 8)), step)


def reach_of(values: list[float]) -> float:
    """How far apart the values of a table lie; where they lie together, their size, or a tenth."""
    return max(values) - min(values) or abs(values[0]) or 0.1


def stride(values: list[float], rng: Random) -> float:
    """How far a value of a table moves: on any scale, relative to the table's reach or in units."""
    return float(10 ** rng.uniform(SMALLEST, LARGEST)) * (reach_of(values) if rng.random() < 0.5 else 1.0)


def change_row(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """What one turn of a loop finds in its tables, moved a little or put anywhere within their reach."""
    found = [(place, *digit(lookup(place, tree))) for place in tree.tables]
    bases = [base for _, base, _ in found if base]
    if not bases:
        return None
    chosen = rng.choice(bases)
    turn = rng.randrange(max(len(table(place.node) or ()) * max(each, 1) for place, base, each in found if base == chosen))
    size, anywhere, few = 10 ** rng.uniform(SMALLEST, LARGEST), rng.random() < 0.07, rng.random() < 0.5
    module = tree.module
    for place, base, each in found:
        if base == chosen and (not few or rng.random() < 0.5):
            values = table(place.node) or []
            k, reach = turn // each % len(values), reach_of(values)
            if anywhere:
                values[k] = rng.uniform(min(values), min(values) + reach)
            else:
                values[k] += rng.gauss(0, size * (reach if rng.random() < 0.3 else 1.0))
            module = Tree(module).put(place.path, written(values))
    return module


def digit(counter: str) -> tuple[str, int]:
    """`counter // each` as (counter, each)."""
    base, _, each = counter.rpartition(" // ")
    return (base, int(each)) if base and each.isdigit() and int(each) > 0 else (counter, 1)


def lengthen_table(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A table of twice the length or more, or one value for each turn where one served several; then one is changed."""
    places = [place for place in tree.tables if lookup(place, tree)]
    if not places:
        return None
    place = rng.choice(places)
    values = table(place.node) or []
    counter, each = digit(lookup(place, tree))
    values = [value for value in values for _ in range(each)] if each > 1 else rng.choice((2, 2, 3, 4, 6)) * values
    if len(values) > LONGEST:
        return None
    shift = rng.gauss(0, stride(values, rng))
    for k in _together(len(values), rng) if rng.random() < 0.6 else (rng.randrange(len(values)),):
        values[k] += shift
    return tree.put(place.path[:-1], looked_up(values, counter))


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
    """A table added to each number that a loop assigns, for every turn a value of its own; then one turn's are changed."""
    plain = [place for place in _assigned(tree) if place.scope.counters and "[" not in code(place.node)]
    if not plain:
        return None
    first = rng.choice(plain)
    counter, length = rng.choice(first.scope.counters), max(LENGTHS)
    turn, size = rng.randrange(length), 10 ** rng.uniform(SMALLEST / 2, LARGEST)
    module = tree.module
    for place in plain:
        if place.path[:-3] == first.path[:-3] and counter in place.scope.counters:
            values = [0.0] * length
            values[turn] = rng.gauss(0, size)
            assert isinstance(place.node, cst.BaseExpression)
            added = cst.parse_expression(f"({operand(place.node)} + {code(looked_up(values, counter))})")
            module = Tree(module).put(place.path, added)
    return module


def _assigned(tree: Tree) -> list[Place]:
    """The numbers that are assigned to names, in loops."""
    return [place for place in tree.numbers if place.scope.depth and place.role == "value" and place.path[-2][0] == "body"]


def _turns(tree: Tree, place: Place, rng: Random) -> tuple[str, int]:
    """What a new table is looked up by, and its length: often as another table of the same function is."""
    others = [(lookup(other, tree), len(table(other.node) or ())) for other in tree.tables]
    alike = [(counter, length) for counter, length in others if counter in place.scope.counters]
    if alike and rng.random() < 0.75:
        counter, length = rng.choice(alike)
        return (counter, length) if rng.random() < 0.5 else (f"{counter} // {length}", rng.choice(LENGTHS[:4]))
    counter = rng.choice(place.scope.counters)
    if rng.random() < 0.2:
        counter = f"{counter} // {rng.choice(LENGTHS[:4])}"
    return counter, rng.choice(LENGTHS)


def looked_up(values: list[float], counter: str) -> cst.BaseExpression:
    """`(a, b, c)[counter % 3]`."""
    return cst.parse_expression(f"{code(written(values))}[{counter} % {len(values)}]")


def lookup(place: Place, tree: Tree) -> str:
    """What a table is looked up by, before the modulo of its length; empty where it is looked up otherwise."""
    index = index_of(place, tree)
    counter, _, length = index.rpartition(" % ")
    return counter if length == str(len(table(place.node) or ())) else ""


def index_of(place: Place, tree: Tree) -> str:
    """What a table is looked up by; empty where it is not looked up at once."""
    above = get(tree.module, place.path[:-1]) if place.path[-1][0] == "value" else None
    if not isinstance(above, cst.Subscript) or len(above.slice) != 1:
        return ""
    index = above.slice[0].slice
    return code(index.value) if isinstance(index, cst.Index) else ""
