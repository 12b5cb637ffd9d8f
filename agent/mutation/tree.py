"""A program as a tree of places: what stands where, and what may be named there.

Places are found in one walk of the libcst tree, in the order of the source, so that a draw among them is the same in
every process. A place is changed by rebuilding its ancestors alone.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from agent.mutation.folding import MARK, Folded, unfold, values
from agent.mutation.nodes import Path, appended, bound, children, code, get, is_module, literal, operand, plural, put

__all__ = ["Path", "Place", "Scope", "Tree", "code", "get", "literal", "operand"]

CALLS = frozenset({"min", "max", "abs", "int", "float", "round", "pow", "range", "divmod"})
"""Builtins whose arguments are numbers."""


@dataclass(frozen=True)
class Scope:
    """What is bound at a place."""

    names: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    """Expressions that count the turns of a loop around the place, the innermost last."""
    function: str = ""
    depth: int = 0
    """Loops around the place."""

    def bind(self, names: Sequence[str], counters: Sequence[str] = (), loop: bool = False) -> Scope:
        new = tuple(name for name in names if name not in self.names)
        more = tuple(counter for counter in counters if counter not in self.counters)
        return Scope(self.names + new, self.counters + more, self.function, self.depth + loop)


@dataclass(frozen=True)
class Place:
    """An expression or a statement of the program."""

    path: Path
    node: cst.CSTNode
    scope: Scope
    role: str
    """`number`, `index`, `value`, `test` or `statement`."""


@dataclass
class Tree:
    """A parsed block with its places. Its tables are folded."""

    module: cst.Module
    text: str
    sources: Mapping[str, str] = field(default_factory=dict)
    """The source of each table, by the name that stands for it."""
    expressions: list[Place] = field(default_factory=list)
    calls: list[Place] = field(default_factory=list)
    statements: list[Place] = field(default_factory=list)
    tables: list[Place] = field(default_factory=list)
    """Names that stand for tables: what stands in those is no place of its own."""
    containers: dict[str, None] = field(default_factory=dict)
    """Names that are indexed or iterated over."""
    numeric: dict[str, None] = field(default_factory=dict)
    """Names that are used as numbers (or arrays of them), in the order of their finding."""

    @classmethod
    def of(cls, folded: Folded) -> Tree:
        """The places of a block. Raises libcst.ParserSyntaxError where it is no Python by itself."""
        tree = cls(cst.parse_module(folded.text), folded.text, folded.tables)
        _Walk(tree).body(tree.module, "body", (), Scope())
        for name in tree.containers:
            tree.numeric.pop(name, None)
        return tree

    def holding(self, tables: Mapping[str, str]) -> Tree:
        """The same program with other tables by the same names."""
        other = copy.copy(self)
        other.sources = tables
        return other

    def table(self, place: Place) -> list[float]:
        """What stands in the table at a place."""
        return values(self.sources[self.name(place)])

    def name(self, place: Place) -> str:
        """The name of the table at a place."""
        assert isinstance(place.node, cst.Name)
        return place.node.value

    def index_of(self, place: Place) -> str:
        """What a table is looked up by; empty where it is not looked up at once."""
        above = get(self.module, place.path[:-1]) if place.path[-1][0] == "value" else None
        if not isinstance(above, cst.Subscript) or len(above.slice) != 1:
            return ""
        index = above.slice[0].slice
        return code(index.value) if isinstance(index, cst.Index) else ""

    def at(self, place: Place) -> cst.CSTNode | None:
        """What stands in this program where another has that place; None where nothing does."""
        try:
            return get(self.module, place.path)
        except (LookupError, AttributeError, TypeError):
            return None

    def unfolded(self, text: str) -> str:
        """A part of the program's text with its tables in their places."""
        return unfold(text, self.sources)

    def put(self, path: Path, node: cst.CSTNode | cst.RemovalSentinel) -> cst.Module:
        """The module with another node at a place; with a removal, without its statement or argument."""
        changed = put(self.module, path, node)
        assert isinstance(changed, cst.Module)
        return changed

    def insert(self, path: Path, node: cst.CSTNode) -> cst.Module:
        """The module with a statement before the one at the path."""
        *above, (name, index) = path
        body = get(self.module, tuple(above))
        row = list(getattr(body, name))
        row.insert(index, node)
        changed = put(self.module, tuple(above), body.with_changes(**{name: row}))
        assert isinstance(changed, cst.Module)
        return changed

    @functools.cached_property
    def numbers(self) -> list[Place]:
        """The places where a number stands."""
        return [place for place in self.expressions if self.counts(place)]

    @functools.cached_property
    def constants(self) -> list[Place]:
        """The places of literal numbers."""
        literals = cst.Integer | cst.Float
        return [place for place in self.expressions if isinstance(place.node, literals) and place.role != "index"]

    def counts(self, place: Place) -> bool:
        """Whether what stands at a place is a number, as far as can be seen."""
        if place.role == "number":
            return True
        node = place.node
        if isinstance(node, cst.Name):
            return place.role in ("value", "index") and node.value in self.numeric
        if isinstance(node, cst.Subscript):
            return place.role == "value" and is_table(node.value)
        kinds = cst.BinaryOperation | cst.Integer | cst.Float | cst.UnaryOperation
        return place.role == "value" and isinstance(node, kinds)


def is_table(node: cst.CSTNode) -> bool:
    """Whether a node is a name that stands for a table."""
    return isinstance(node, cst.Name) and MARK.fullmatch(node.value) is not None


class _Walk:
    """One walk over a tree: it fills the lists of places."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def body(self, node: cst.CSTNode, name: str, path: Path, scope: Scope) -> Scope:
        for index, statement in enumerate(getattr(node, name)):
            scope = self.statement(statement, (*path, (name, index)), scope)
        return scope

    def statement(self, node: cst.CSTNode, path: Path, scope: Scope) -> Scope:
        self.tree.statements.append(Place(path, node, scope, "statement"))
        if isinstance(node, cst.SimpleStatementLine):
            for index, small in enumerate(node.body):
                scope = self.small(small, (*path, ("body", index)), scope)
            return scope
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return self.definition(node, path, scope)
        inner = scope
        if isinstance(node, cst.For):
            self.expression(node.iter, (*path, ("iter", -1)), scope, "iter")
            inner = self.looped(node, scope)
        elif isinstance(node, cst.If | cst.While):
            self.expression(node.test, (*path, ("test", -1)), scope, "test")
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, cst.IndentedBlock):
                inner = self.body(block, "body", (*path, (name, -1)), inner)
            elif isinstance(block, cst.Else):
                inner = self.body(block.body, "body", (*path, (name, -1), ("body", -1)), inner)
            elif isinstance(block, cst.If):
                inner = self.statement(block, (*path, (name, -1)), inner)
        return Scope(inner.names, scope.counters, scope.function, scope.depth)

    def definition(self, node: cst.FunctionDef | cst.ClassDef, path: Path, scope: Scope) -> Scope:
        inner = scope
        if isinstance(node, cst.FunctionDef):
            names = [parameter.name.value for parameter in node.params.params]
            self.tree.numeric.update(dict.fromkeys(names))
            inner = Scope((*scope.names, *names), (), node.name.value)
        if isinstance(node.body, cst.IndentedBlock):
            self.body(node.body, "body", (*path, ("body", -1)), inner)
        return scope.bind([node.name.value])

    def looped(self, node: cst.For | cst.CompFor, scope: Scope) -> Scope:
        names, counters = bound(node.target), []
        source = node.iter
        called = source.func.value if isinstance(source, cst.Call) and isinstance(source.func, cst.Name) else ""
        if called in ("range", "enumerate") and names:
            counters.append(names[0])
            self.tree.numeric[names[0]] = None
        if isinstance(node, cst.For):
            counters += [f"len({name})" for name in appended(node)]
        return scope.bind(names, counters, loop=True)

    def small(self, node: cst.CSTNode, path: Path, scope: Scope) -> Scope:
        if isinstance(node, cst.Assign):
            self.expression(node.value, (*path, ("value", -1)), scope, "value")
            names: list[str] = []
            for index, target in enumerate(node.targets):
                names += bound(target.target)
                self.parts(target.target, (*path, ("targets", index), ("target", -1)), scope)
            if isinstance(node.value, cst.BinaryOperation | cst.UnaryOperation | cst.Integer | cst.Float):
                self.tree.numeric.update(dict.fromkeys(names))
            return scope.bind(names)
        if isinstance(node, cst.AugAssign | cst.Return | cst.Expr):
            if node.value is not None and not isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
                role = "number" if isinstance(node, cst.AugAssign) else "value"
                self.expression(node.value, (*path, ("value", -1)), scope, role)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            self.expression(node.value, (*path, ("value", -1)), scope, "value")
            return scope.bind(bound(node.target))
        return scope

    def expression(self, node: cst.CSTNode, path: Path, scope: Scope, role: str) -> None:
        if is_table(node):
            self.tree.tables.append(Place(path, node, scope, role))
            return
        if role in ("iter", "object") and isinstance(node, cst.Name):
            self.tree.containers[node.value] = None
        if role != "iter":
            self.tree.expressions.append(Place(path, node, scope, role))
        if role == "number" and isinstance(node, cst.Name):
            self.tree.numeric[node.value] = None
        if isinstance(node, cst.Call):
            self.call(node, path, scope)
        elif isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            inner = self.comprehended(node.for_in, (*path, ("for_in", -1)), scope)
            self.expression(node.elt, (*path, ("elt", -1)), inner, "value")
        elif not isinstance(node, cst.Lambda | cst.DictComp | cst.FormattedString):
            self.parts(node, path, scope, role)

    def call(self, node: cst.Call, path: Path, scope: Scope) -> None:
        self.tree.calls.append(Place(path, node, scope, "value"))
        counts = is_module(node.func) or (isinstance(node.func, cst.Name) and node.func.value in CALLS)
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in ("append", "dist"):
            counts = False
        for index, argument in enumerate(node.args):
            role = "number" if counts and not argument.star and not plural(argument.value) else "value"
            self.expression(argument.value, (*path, ("args", index), ("value", -1)), scope, role)

    def comprehended(self, node: cst.CompFor, path: Path, scope: Scope) -> Scope:
        self.expression(node.iter, (*path, ("iter", -1)), scope, "iter")
        inner = self.looped(node, scope)
        for index, condition in enumerate(node.ifs):
            self.expression(condition.test, (*path, ("ifs", index), ("test", -1)), inner, "test")
        if node.inner_for_in is not None:
            return self.comprehended(node.inner_for_in, (*path, ("inner_for_in", -1)), inner)
        return inner

    def parts(self, node: cst.CSTNode, path: Path, scope: Scope, outer: str = "") -> None:
        if isinstance(node, cst.Name | cst.Attribute):
            return
        role = "value"
        if outer == "index" or isinstance(node, cst.Index | cst.Slice):
            role = "index"
        elif isinstance(node, cst.BinaryOperation | cst.Comparison | cst.ComparisonTarget | cst.UnaryOperation):
            role = "number"
        elif isinstance(node, cst.BooleanOperation):
            role = "test"
        for name, child, index in children(node):
            step = (*path, (name, index))
            if isinstance(child, cst.BaseExpression):
                held = role
                if isinstance(node, cst.IfExp):
                    held = "test" if name == "test" else "value"
                elif isinstance(node, cst.Subscript):
                    held = "object"
                self.expression(child, step, scope, held)
            else:
                self.parts(child, step, scope, outer)
