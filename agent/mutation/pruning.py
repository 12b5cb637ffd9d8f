"""What no longer matters is left out: assignments to names of a function that nothing reads, or that are overwritten first."""

from __future__ import annotations

import ast
from collections.abc import Iterator

PURE = frozenset(("min", "max", "abs", "int", "float", "round", "pow", "len", "sum", "sorted", "range", "list", "tuple"))
"""Builtins whose calls can be left out."""
MODULES = frozenset({"math", "np", "numpy"})
"""Modules whose functions can be left out."""

Assignments = list[tuple[ast.Assign, frozenset[str]]]


def pruned(text: str) -> str:
    """The text without the dead assignments of its functions, whole lines only; unchanged where it is no Python."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return text
    dead = [line for node in module.body if isinstance(node, ast.FunctionDef) for line in _dead(node)]
    if not dead:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, 1) if number not in set(dead))


def _dead(function: ast.FunctionDef) -> Iterator[int]:
    """The lines of dead assignments: nothing but other dead assignments reads what they bind."""
    assignments = [(node, _targets(node)) for node in ast.walk(function) if isinstance(node, ast.Assign)]
    simple: Assignments = [(node, names) for node, names in assignments if names]
    inside = {id(part) for node, _ in simple for part in ast.walk(node.value)}
    loads = [node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    live = {node.id for node in loads if id(node) not in inside}
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            live.add(node.target.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            live.update(node.names)
    reads = [(names, {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}) for node, names in simple]
    for _ in range(len(reads) + 1):
        live.update(*(read for names, read in reads if names & live))
    dead = {id(node) for node, names in simple if not names & live and _pure(node.value)}
    dead |= {id(node) for node in _overwritten(function, simple) if _pure(node.value)}
    for body in _bodies(function):
        kept = [statement for statement in body if id(statement) not in dead]
        for statement in body:
            alone = sum(other.lineno <= statement.lineno <= (other.end_lineno or 0) for other in body) == 1
            if id(statement) in dead and kept and alone:
                yield from range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def _overwritten(function: ast.FunctionDef, simple: Assignments) -> Iterator[ast.Assign]:
    """Assignments to names that the same body assigns again before anything can read them."""
    later = ast.FunctionDef | ast.Lambda | ast.GeneratorExp | ast.Try | ast.With
    if any(isinstance(node, later) for part in function.body for node in ast.walk(part)):
        return
    names_of = {id(node): names for node, names in simple}
    for body in _bodies(function):
        for place, statement in enumerate(body):
            names = names_of.get(id(statement))
            for other in body[place + 1 :] if names else ():
                read = any(node.id in (names or ()) for node in ast.walk(other) if isinstance(node, ast.Name) and _reads(node, other))
                if read or not isinstance(other, ast.Assign | ast.Expr | ast.AugAssign):
                    break
                if names and names <= names_of.get(id(other), frozenset()):
                    assert isinstance(statement, ast.Assign)
                    yield statement
                    break


def _reads(name: ast.Name, statement: ast.stmt) -> bool:
    return isinstance(name.ctx, ast.Load) or (isinstance(statement, ast.AugAssign) and name is statement.target)


def _targets(node: ast.Assign) -> frozenset[str]:
    if all(isinstance(target, ast.Name) for target in node.targets):
        return frozenset(target.id for target in node.targets if isinstance(target, ast.Name))
    return frozenset()


def _pure(value: ast.expr) -> bool:
    calls = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)]
    return all(
        (isinstance(call, ast.Name) and call.id in PURE)
        or (isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id in MODULES)
        for call in calls
    ) and not any(isinstance(node, ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await) for node in ast.walk(value))


def _bodies(function: ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                yield body
