"""The scoring digest: two scores may be compared exactly when they were made under the same one."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from evaluators.types import Evaluator, Task

OURS = ("evaluators", "sandboxes", "problems")
"""Packages whose modules count when a scorer imports them."""


class Judged(Task, Protocol):
    """What the digest covers beside the scorer's source."""

    @property
    def sense(self) -> str: ...
    @property
    def bound(self) -> float | None: ...
    @property
    def axes(self) -> Sequence[object]: ...
    @property
    def parameters(self) -> Mapping[str, object]: ...


def scoring_digest(task: Judged) -> str:
    """SHA-256, hexadecimal, of all that a score depends on apart from the program.

    The source of the scorer's module and of every module of ours that it imports (comments and docstrings apart), the parameters,
    needs, axes, sense and bound, and the versions of the libraries that it declares. Statement, seed, records and plot do not count.

    Raises:
        ValueError: the scorer's module has no source, or a library that it declares is not installed.
    """
    facts = {
        "modules": {name: _normal(path) for name, path in sorted(_modules(_home(task.score)).items())},
        "parameters": dict(task.parameters),
        "needs": asdict(task.needs),
        "axes": [asdict(axis) for axis in task.axes if is_dataclass(axis) and not isinstance(axis, type)],
        "sense": task.sense,
        "bound": task.bound,
        "secret": task.secret,
        "libraries": {name: _version(name) for name in sorted(task.scoring.libraries)},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _home(score: Evaluator) -> str:
    inner: object = score
    while isinstance(inner, partial):
        inner = inner.func
    home = getattr(inner, "__module__", None) or type(inner).__module__
    if home not in sys.modules:
        raise ValueError(f"the scorer {score!r} belongs to no module: its source cannot be recorded with its scores")
    return str(home)


def _modules(start: str) -> dict[str, Path]:
    """The modules that count, from the scorer's own on, by name without what changes from one machine to another."""
    package = start.partition(".")[0]
    found: dict[str, Path] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if path is None or path in found.values():
            continue
        found[_label(name)] = path
        for imported in _imports(name, path):
            if imported.partition(".")[0] in {*OURS, package}:
                waiting.append(imported)
    if not found:
        raise ValueError(
            f"the scorer's module {start!r} has no source file: put the scorer into a module or a problem folder"
        )
    return found


def _label(name: str) -> str:
    head, _, rest = name.partition(".")
    return f"folder.{rest}" if head.startswith("elites_problem_") else name


def _source(name: str) -> Path | None:
    module = sys.modules.get(name)
    origin = getattr(module, "__file__", None)
    if origin is None:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        origin = spec.origin if spec else None
    return Path(origin) if origin and origin.endswith(".py") and Path(origin).is_file() else None


def _imports(name: str, path: Path) -> Iterator[str]:
    parent = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = parent.split(".")[: len(parent.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _normal(path: Path) -> str:
    """The source without comments, docstrings and layout."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)] or [ast.Pass()]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.unparse(ast.fix_missing_locations(tree)).encode()).hexdigest()


def _is_text(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        raise ValueError(f"the scorer declares the library {library!r}, which is not installed here") from None
