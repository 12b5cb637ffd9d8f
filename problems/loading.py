"""From a name, a dotted path or a folder to a problem, in this process or another."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from evaluators.types import Reference
from problems.types import Problem
from sandboxes.types import Files

Parameter: TypeAlias = bool | int | float | str

LARGEST_FOLDER = 2_000_000
"""Bytes of text that a problem folder may hold."""
MODULE = "problem.py"


class ProblemError(Exception):
    """A problem cannot be found or loaded; the text says what was expected, what came and what to do."""


def bundled() -> tuple[str, ...]:
    """The names of the problems that come with the package, sorted."""
    here = Path(__file__).parent
    return tuple(sorted(folder.name for folder in here.iterdir() if (folder / MODULE).is_file()))


def reference(spec: str, words: Sequence[str] = ()) -> Reference:
    """Where the problem named by `spec` comes from, with parameters like `n=32` typed by its signature.

    Args:
        spec: a bundled name, a dotted path (`package.module` or `package.module:attribute`), or a folder with a `problem.py`.

    Raises:
        ProblemError: no such problem, it does not load, or a parameter is unknown, missing or not of its type.
    """
    folder = Path(spec).expanduser()
    if spec in bundled():
        bare = Reference(spec)
    elif (folder / MODULE).is_file():
        bare = Reference(folder.resolve().name, files=folder_files(folder))
    elif "." in spec and not folder.exists() and os.sep not in spec:
        bare = Reference(spec)
    else:
        raise ProblemError(_unknown(spec, folder))
    return replace(bare, parameters=_typed(bare, words))


def load(reference: Reference) -> Problem:
    """The problem that a reference names. Runs the problem's code: only for references that the user asked for.

    Raises:
        ProblemError: it does not import, or what it defines is no problem.
    """
    return _load(reference.name, _canonical(reference.parameters), _canonical(reference.files))


@lru_cache(maxsize=32)
def _load(name: str, parameters: str, files: str) -> Problem:
    reference = Reference(name, json.loads(parameters), json.loads(files))
    found = _found(reference)
    try:
        problem = found if isinstance(found, Problem) else found(**reference.parameters)
    except (ValueError, TypeError) as error:
        raise ProblemError(f"problem {name!r} refuses its parameters {dict(reference.parameters)}: {error}") from error
    if not isinstance(problem, Problem):
        raise ProblemError(f"problem(...) of {name!r} must return a Problem, not {type(problem).__name__}")
    return replace(problem, parameters=dict(reference.parameters))


def folder_files(folder: Path) -> Files:
    """The text files of a problem folder, by relative path: what travels to the workers.

    Raises:
        ProblemError: the folder holds more than LARGEST_FOLDER bytes of text, or a link that leads out of it: what is
            read here is sent to workers and, as a seed, to models.
    """
    files: dict[str, str] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith((".", "__pycache__")) for part in parts):
            continue
        if path.is_symlink():
            _stays_inside(path, folder)
        if not path.is_file():
            continue
        if path.stat().st_size > 4 * LARGEST_FOLDER:
            continue  # a run file, data: too large for text that counts
        with contextlib.suppress(UnicodeDecodeError):
            text = path.read_bytes().decode("utf-8")
            total += len(text)
            files["/".join(parts)] = text
        if total > LARGEST_FOLDER:
            raise ProblemError(
                f"the folder {folder} holds more than {LARGEST_FOLDER:,} bytes of text: a problem folder travels to every "
                f"worker whole; keep run files and data elsewhere"
            )
    return files


def _stays_inside(link: Path, folder: Path) -> None:
    target = Path(os.path.realpath(link))
    if not target.is_relative_to(folder.resolve()):
        raise ProblemError(
            f"the link {link} leads out of the problem folder, to {target}: put the file itself there, or remove the link"
        )


def _unknown(spec: str, folder: Path) -> str:
    if folder.is_dir():
        return f"the folder {folder} has no {MODULE}; `elites new NAME` makes a folder that works"
    if folder.is_file():
        inside = f": name its folder, {folder.parent}" if folder.name == MODULE else ", and a problem is a folder or a module"
        return f"{spec} is a file{inside}"
    near = difflib.get_close_matches(spec, bundled(), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return (
        f"there is no problem {spec!r}: no bundled one, no folder and no module that can be imported has this name.{hint} "
        f"Bundled are {', '.join(bundled())}; or give a folder that holds a {MODULE}, or a dotted path to a module"
    )


def _found(reference: Reference) -> Problem | Callable[..., Problem]:
    module_name, _, attribute = reference.name.partition(":")
    try:
        if reference.files is not None:
            module = _import_folder(reference.name, reference.files)
        elif reference.name in bundled():
            module = importlib.import_module(f"problems.{reference.name}.problem")
        else:
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if reference.files is None and f"{module_name}.".startswith(f"{error.name}."):
            raise ProblemError(_unknown(reference.name, Path(reference.name))) from error
        raise ProblemError(f"problem {reference.name!r} does not load: there is no module {error.name!r}, which it imports") from error
    except (ImportError, SyntaxError, AttributeError, NameError, TypeError, ValueError, OSError) as error:
        raise ProblemError(f"problem {reference.name!r} does not load: {type(error).__name__}: {error}") from error
    for name in [attribute] if attribute else ["PROBLEM", "problem"]:
        found = getattr(module, name, None)
        if isinstance(found, Problem) or callable(found):
            return found
    raise ProblemError(f"{reference.name!r} must define PROBLEM = Problem(...) or a function problem(...) -> Problem")


def _import_folder(name: str, files: Files) -> ModuleType:
    digest = hashlib.sha256(_canonical(files).encode()).hexdigest()[:16]
    package = f"elites_problem_{re.sub(r'[^A-Za-z0-9_]', '_', name)}_{digest}"
    full = f"{package}.problem"
    if full in sys.modules:
        return sys.modules[full]
    folder = _on_disk(package, files)
    spec = importlib.util.spec_from_file_location(
        package, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None:
        raise ImportError(f"no package can be made of {folder}")
    sys.modules[package] = importlib.util.module_from_spec(spec)
    return importlib.import_module(full)


def _on_disk(package: str, files: Files) -> Path:
    """The files as a folder of this user's that nobody else can write; what differs is written again."""
    home = Path(tempfile.gettempdir()) / f"elites-problems-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    owner = home.lstat()
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077 or home.is_symlink():
        raise OSError(f"{home} is not a folder of this user's alone (mode 0700): remove it")
    folder = home / package
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.{os.getpid()}")
            new.write_bytes(text.encode())
            new.replace(path)
    return folder


def _typed(bare: Reference, words: Sequence[str]) -> Mapping[str, Parameter]:
    given = dict(_split(word) for word in words)
    found = _found(bare)
    if isinstance(found, Problem):
        if given:
            raise ProblemError(f"problem {bare.name!r} takes no parameters, but {', '.join(words)} was given")
        return {}
    signature = inspect.signature(found, eval_str=True).parameters
    for name in given:
        if name not in signature:
            near = difflib.get_close_matches(name, signature, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            known = ", ".join(f"{p.name}={p.default}" for p in signature.values()) or "none"
            raise ProblemError(f"problem {bare.name!r} has no parameter {name!r}.{hint} It takes: {known}")
    values: dict[str, Parameter] = {}
    for name, parameter in signature.items():
        if name in given:
            values[name] = _parsed(name, given[name], parameter.annotation)
        elif parameter.default is inspect.Parameter.empty:
            raise ProblemError(f"problem {bare.name!r} needs its parameter {name!r}: add {name}=…")
        else:
            values[name] = parameter.default
    return values


def _split(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise ProblemError(f"a parameter is written name=value, as in n=32; {word!r} came")
    return name, value


def _parsed(name: str, text: str, kind: object) -> Parameter:
    wanted = "text"
    try:
        if kind is bool:
            wanted = "true or false"
            return {"true": True, "false": False}[text.lower()]
        if kind is int:
            wanted = "a whole number"
            return int(text)
        if kind is float:
            wanted = "a number"
            return float(text)
    except (ValueError, KeyError):
        raise ProblemError(f"parameter {name} must be {wanted}; {text!r} came") from None
    return text


def _canonical(value: object) -> str:
    return json.dumps(value if value is None or not isinstance(value, Mapping) else dict(value), sort_keys=True)
