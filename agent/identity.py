"""When two programs are the same program."""

from __future__ import annotations

import ast
import hashlib
import json

from problems.types import Problem
from sandboxes.types import Files


def identity(problem: Problem, files: Files) -> str:
    """A normalised identity of files: the problem's own, or one in which comments and layout of Python files do not count."""
    if problem.key is not None:
        return problem.key(files)
    plain = {path: _normal(text) if path.endswith(".py") else text for path, text in files.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _normal(source: str) -> str:
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
