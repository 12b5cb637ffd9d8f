"""Single nodes of a libcst tree: their source, their parts, what they bind, and the literals in them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import fields
from typing import TypeAlias

import libcst as cst

Path: TypeAlias = tuple[tuple[str, int], ...]
"""Field names from the root, each with an index into the field, or -1 where it is no sequence."""


UNREAD = ("lpar", "rpar", "whitespace", "leading_lines", "lines_after", "header", "footer", "indent", "semicolon", "comma",
          "annotation", "decorators", "returns", "asynchronous", "equal", "lbracket", "rbracket", "dot")  # fmt: skip


def code(node: cst.CSTNode) -> str:
    """The source of a node."""
    return EMPTY.code_for_node(node)


EMPTY = cst.Module([])


def get(node: cst.CSTNode, path: Path) -> cst.CSTNode:
    """The node at a path. Raises LookupError or AttributeError where there is none."""
    for name, index in path:
        node = getattr(node, name) if index < 0 else getattr(node, name)[index]
    return node


def put(node: cst.CSTNode, path: Path, new: cst.CSTNode | cst.RemovalSentinel) -> cst.CSTNode:
    if not path:
        assert isinstance(new, cst.CSTNode)
        return new
    (name, index), rest = path[0], path[1:]
    held = getattr(node, name)
    if index < 0:
        return node.with_changes(**{name: put(held, rest, new)})
    row = list(held)
    if not rest and isinstance(new, cst.RemovalSentinel):
        del row[index]
    else:
        row[index] = put(row[index], rest, new)
    return node.with_changes(**{name: row})


@functools.cache
def parts(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = (part.name for part in fields(kind))
    return tuple(name for name in names if not any(unread in name for unread in UNREAD))


def bound(target: cst.CSTNode) -> list[str]:
    """The names that an assignment to a target binds."""
    if isinstance(target, cst.Name):
        return [target.value]
    if isinstance(target, cst.Tuple | cst.List):
        return [name for element in target.elements for name in bound(element.value)]
    return []


def is_module(function: cst.BaseExpression) -> bool:
    """Whether a call's function is a module's, such as `math.sin`."""
    return isinstance(function, cst.Attribute) and isinstance(function.value, cst.Name)


def children(node: cst.CSTNode) -> Iterator[tuple[str, cst.CSTNode, int]]:
    for name in parts(type(node)):
        held = getattr(node, name)
        if isinstance(held, cst.CSTNode):
            yield name, held, -1
        elif isinstance(held, list | tuple):
            for index, child in enumerate(held):
                yield name, child, index


def literal(node: cst.BaseExpression) -> float | None:
    """The value of a literal float, with or without a minus; None for anything else."""
    if isinstance(node, cst.Float):
        return float(node.value)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = literal(node.expression)
        return None if inner is None else -inner
    return None


def operand(node: cst.CSTNode) -> str:
    """Source that can stand beside an operator."""
    text = code(node)
    plain = isinstance(node, cst.Name | cst.Integer | cst.Float | cst.Call | cst.Subscript | cst.Attribute)
    return text if plain or bool(getattr(node, "lpar", None)) else f"({text})"


def plural(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Tuple | cst.List | cst.ListComp | cst.GeneratorExp)


def appended(loop: cst.For) -> list[str]:
    """The lists that a loop's own statements append to."""
    names = []
    for statement in loop.body.body:
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Expr):
            call = statement.body[0].value
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value == "append":
                names += bound(call.func.value)
    return names
