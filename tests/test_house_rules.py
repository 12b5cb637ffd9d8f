"""The rules of the house, counted."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = ("agent", "archive", "evaluators", "problems", "sandboxes")
BESIDE = ("tests", "benchmarks")

LINES, LENGTH, PARAMETERS, BROAD = 300, 40, 6, 2
BROAD_NAMES = {"Exception", "BaseException"}
UNSPOKEN = (r"\.\./shared", r"/work/", r"\bissue\s?\d", r"\bsessions?/", r"/tmp/brief", r"\bTBD\b", r"\bFIXME\b")
"""Patterns that have no place here: the repository speaks of the project alone."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(folders: tuple[str, ...]) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if "data" not in path.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def is_command(function: Function) -> bool:
    """Decorated with `@app.command(…)`, or its like: an option is a parameter there."""
    calls = [d for d in function.decorator_list if isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute)]
    return any(call.func.attr in ("command", "callback") for call in calls if isinstance(call.func, ast.Attribute))


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_there_is_something_to_count() -> None:
    assert len(modules(PRODUCT)) > 20
    assert {path.relative_to(ROOT).parts[0] for path in modules(PRODUCT)} == set(PRODUCT)


def test_no_file_is_long() -> None:
    long = [f"{path.relative_to(ROOT)}: {n}" for path in modules(PRODUCT + BESIDE) if (n := lines(path)) > LINES]
    assert not long, f"files over {LINES} lines"


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_function_is_long() -> None:
    long = [
        f"{place(path, f.lineno)} {f.name}: {length}"
        for path in modules(PRODUCT + BESIDE)
        for f in functions(path)
        if (length := (f.end_lineno or f.lineno) - f.lineno + 1) > LENGTH and not is_command(f)
    ]
    assert not long, f"functions over {LENGTH} lines"


def test_no_parameter_list_is_long() -> None:
    long = []
    for path in modules(PRODUCT):
        for f in functions(path):
            a = f.args
            count = len(a.posonlyargs) + len(a.args) + len(a.kwonlyargs) + bool(a.vararg) + bool(a.kwarg)
            if count > PARAMETERS and not is_command(f):
                long.append(f"{place(path, f.lineno)} {f.name}: {count}")
    assert not long, f"functions of more than {PARAMETERS} parameters"


def test_broad_excepts_are_two() -> None:
    broad = []
    for path in modules(PRODUCT):
        for node in ast.walk(tree(path)):
            handled = isinstance(node, ast.ExceptHandler) and catches_all(node)
            if handled or (isinstance(node, ast.Call) and suppresses_all(node)):
                broad.append(place(path, node.lineno))
    assert len(broad) <= BROAD, f"{broad}: one around the program, one around the scorer, and no more"


def catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in BROAD_NAMES for kind in kinds)


def suppresses_all(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "suppress" and any(isinstance(arg, ast.Name) and arg.id in BROAD_NAMES for arg in call.args)


def test_only_the_console_prints() -> None:
    prints = [
        place(path, node.lineno)
        for path in modules(PRODUCT)
        if (ROOT / "agent" / "console") not in path.parents
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not prints


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in modules(PRODUCT) if tree(path).body and ast.get_docstring(tree(path)) is None]
    assert not silent, "modules without a docstring"


def test_public_names_are_sorted() -> None:
    for path in modules(PRODUCT):
        for node in tree(path).body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
            ):
                names = ast.literal_eval(node.value)
                assert names == sorted(names), path


def test_the_repository_speaks_of_the_project_alone() -> None:
    found = []
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    names = listed or [str(path.relative_to(ROOT)) for path in modules(PRODUCT + BESIDE)]
    for name in names:
        path = ROOT / name
        if path == Path(__file__) or not path.is_file() or path.suffix in (".lock", ".png", ".db", ".gz"):
            continue
        text = path.read_text("utf-8", errors="replace")
        found += [f"{name}: {match.group()!r}" for pattern in UNSPOKEN for match in re.finditer(pattern, text)]
    assert not found


@pytest.mark.parametrize("folder", PRODUCT)
def test_packages_are_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


def test_the_layers_are_a_straight_line() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
