"""When two programs are the same program."""

from __future__ import annotations

import ast
import functools
import hashlib
import json

from agent.mutation.folding import fold, unfold, values
from problems.types import Problem
from sandboxes.types import Files


def identity(problem: Problem, files: Files) -> str:
    """A normalised identity of files: the problem's own, or one in which comments and layout of Python files do not count."""
    if problem.key is not None:
        return problem.key(files)
    plain = {path: _normal(text) if path.endswith(".py") else text for path, text in files.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _normal(source: str) -> object:
    """What is the same where only comments and layout differ.

    Tables of numbers are read apart: most programs differ in them alone, and what is around them has been parsed before.
    """
    folded = fold(source)
    plain = _dumped(folded.text)
    if plain is None:
        return source
    tables = [name for name in folded.tables if f"Name(id='{name}', ctx=Load())" in plain]
    if len(tables) < len(folded.tables):  # some stand in comments or strings
        text = unfold(folded.text, {name: table for name, table in folded.tables.items() if name not in tables})
        for number, name in enumerate(tables):
            text = text.replace(name, f"__table_ours_{number}__")
        plain = _dumped(text) or source
    return [plain, [(folded.tables[name][0], values(folded.tables[name])) for name in tables]]


@functools.lru_cache(maxsize=256)
def _dumped(source: str) -> str | None:
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
