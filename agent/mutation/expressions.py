"""Numbers as they are computed: other operators, names and calls; larger, smaller and borrowed expressions."""

from __future__ import annotations

import builtins
from random import Random

import libcst as cst

from agent.mutation.literals import nudged, signed
from agent.mutation.tree import Place, Tree, code, is_table, operand

ARITHMETIC = ("+", "-", "*", "/", "+", "-", "*", "/", "//", "%", "**")
COMPARISONS = ("<", "<=", ">", ">=")
ALIKE: dict[str, tuple[str, ...]] = {
    "math": ("sin", "cos", "tan", "sqrt", "exp", "atan", "floor", "ceil", "tanh", "fabs"),
    "numpy": ("sin", "cos", "sqrt", "exp", "abs", "floor", "ceil", "tanh", "log1p", "square", "sign"),
}
"""Functions of one number that can stand for one another, by module."""
SHORT = {"np": "numpy", "math": "math", "numpy": "numpy"}
LARGEST = 160
"""Characters of the longest expression that is copied."""


def change_operator(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """Another arithmetic operator or comparison."""
    kinds = cst.BinaryOperation | cst.Comparison
    places = [place for place in tree.expressions if isinstance(place.node, kinds) and place.role != "index"]
    if not places:
        return None
    place = rng.choice(places)
    if isinstance(place.node, cst.BinaryOperation):
        sample = cst.parse_expression(f"a {rng.choice(ARITHMETIC)} b")
        assert isinstance(sample, cst.BinaryOperation)
        return tree.put(place.path, place.node.with_changes(operator=sample.operator))
    assert isinstance(place.node, cst.Comparison)
    sample = cst.parse_expression(f"a {rng.choice(COMPARISONS)} b")
    assert isinstance(sample, cst.Comparison)
    first = place.node.comparisons[0]
    if not isinstance(first.operator, cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual):
        return None
    new = first.with_changes(operator=sample.comparisons[0].operator)
    return tree.put(place.path, place.node.with_changes(comparisons=[new, *place.node.comparisons[1:]]))


def change_name(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """Another name that is bound there, of a number for a number, of anything for anything else."""
    names = [place for place in tree.expressions if isinstance(place.node, cst.Name)]
    if not names:
        return None
    place = rng.choice(names)
    assert isinstance(place.node, cst.Name)
    kind = tree.numeric if tree.counts(place) else tree.containers
    others = [name for name in place.scope.names if name != place.node.value and name in kind]
    return tree.put(place.path, cst.Name(rng.choice(others))) if others else None


def change_call(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """Another function of the same module and kind, or `min` for `max`; or an argument more or less."""
    calls = [place for place in tree.calls if _changeable(place.node)]
    if not calls:
        return None
    place = rng.choice(calls)
    call = place.node
    assert isinstance(call, cst.Call)
    if isinstance(call.func, cst.Attribute) and isinstance(call.func.value, cst.Name):
        family = ALIKE.get(SHORT.get(call.func.value.value, ""), ())
        if call.func.attr.value not in family:
            return None
        return tree.put((*place.path, ("func", -1), ("attr", -1)), cst.Name(rng.choice(family)))
    if not isinstance(call.func, cst.Name) or call.func.value not in ("min", "max"):
        return None
    chance = rng.random()
    if chance < 0.15:
        return tree.put((*place.path, ("func", -1)), cst.Name("max" if call.func.value == "min" else "min"))
    if chance < 0.35 and len(call.args) > 2:
        kept = list(call.args)
        del kept[rng.randrange(len(kept))]
        return tree.put(place.path, rebuilt(call.func.value, [code(argument.value) for argument in kept]))
    more = material(tree, tree, place, rng) if chance < 0.6 else signed(10 ** rng.uniform(-2, 0.5))
    if more is None:
        return None
    return tree.put(place.path, rebuilt(call.func.value, [*(code(each.value) for each in call.args), more]))


def _changeable(call: cst.CSTNode) -> bool:
    assert isinstance(call, cst.Call)
    if isinstance(call.func, cst.Name):
        return call.func.value in ("min", "max")
    return isinstance(call.func, cst.Attribute) and any(call.func.attr.value in family for family in ALIKE.values())


def rebuilt(function: str, arguments: list[str]) -> cst.BaseExpression:
    return cst.parse_expression(f"{function}({', '.join(arguments)})")


def enlarge(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A number with a little arithmetic around it."""
    if not tree.numbers:
        return None
    place = rng.choice(tree.numbers)
    held = operand(place.node)
    chance = rng.random()
    if chance < 0.25:
        text = f"({held} {rng.choice('+-')} {signed(abs(nudged(0.0, rng)))})"
    elif chance < 0.5:
        text = f"({held} * {signed(nudged(1.0, rng))})"
    else:
        other = material(tree, tree, place, rng)
        if other is None:
            return None
        if chance < 0.8:
            text = f"({held} {rng.choice(ARITHMETIC[:8])} {other})"
        elif chance < 0.9:
            text = f"{rng.choice(('min', 'max'))}({held}, {other})"
        else:
            text = f"(-{held})"
    return tree.put(place.path, cst.parse_expression(text))


def reduce(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """One operand in place of an operation, or one branch in place of a choice."""
    kinds = cst.BinaryOperation | cst.UnaryOperation | cst.IfExp
    places = [place for place in tree.expressions if isinstance(place.node, kinds) and place.role != "index"]
    if not places:
        return None
    place = rng.choice(places)
    node = place.node
    if isinstance(node, cst.BinaryOperation):
        kept = rng.choice((node.left, node.right))
    elif isinstance(node, cst.IfExp):
        kept = rng.choice((node.body, node.orelse))
    else:
        assert isinstance(node, cst.UnaryOperation)
        kept = node.expression
    return tree.put(place.path, cst.parse_expression(operand(kept)))


def borrow(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """Another number of the program, or of the partner, in place of a number."""
    if not tree.numbers:
        return None
    place = rng.choice(tree.numbers)
    text = material(tree, rng.choice((tree, partner)), place, rng)
    return tree.put(place.path, cst.parse_expression(text)) if text else None


def material(tree: Tree, source: Tree, place: Place, rng: Random) -> str | None:
    """A number from a program that means something at a place: all of its names are bound there."""
    for _ in range(8):
        if place.scope.counters and rng.random() < 0.15:
            return turns(rng.choice(place.scope.counters), rng)
        if rng.random() < 0.3:
            names = [name for name in place.scope.names if name in tree.numeric]
            if names:
                return rng.choice(names)
        if not source.numbers:
            return None
        found = rng.choice(source.numbers)
        text = operand(found.node)
        if len(source.unfolded(text)) <= LARGEST and known(found.node, place):
            return text
    return None


def turns(counter: str, rng: Random) -> str:
    """How far a loop has come, as a number: counted, scaled, repeating, or in steps."""
    length = rng.choice((2, 3, 4, 5, 6, 8, 10))
    return rng.choice((
        counter, f"({counter} / {length})", f"({counter} % {length})", f"({counter} // {length})",
        f"({counter} % {length} / {length})", f"({counter} // {length} / {length})",
    ))  # fmt: skip


def known(node: cst.CSTNode, place: Place) -> bool:
    """Whether every name in an expression is bound at a place, builtin, or a module's."""
    if isinstance(node, cst.Name):
        return is_table(node) or node.value in place.scope.names or hasattr(builtins, node.value)
    if isinstance(node, cst.Attribute):
        return isinstance(node.value, cst.Name) and (node.value.value in SHORT or known(node.value, place))
    if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.Lambda | cst.DictComp | cst.SetComp):
        return False
    spaces = cst.BaseParenthesizableWhitespace
    return all(known(child, place) for child in node.children if not isinstance(child, spaces))
