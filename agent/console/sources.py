"""What words on the command line mean: the problem of a file, the file of a problem, a strategy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.console.inspection import opened
from agent.strategies import SettingsError
from evaluators.types import Reference
from problems.loading import ProblemError, bundled, reference


def source_of(file: Path, problem: str | None) -> Reference:
    """The problem of a file, where its code must be run: a bundled one by the file's word, any other by the user's.

    Raises:
        ProblemError: the file's problem is not bundled and was not named; or another one was named.
    """
    with opened(file) as archive:
        kept = archive.run.reference
    if problem is None:
        if kept.files is None and kept.name in bundled():
            return kept
        raise ProblemError(
            f"{file} is of the problem {kept.name!r}, which did not come with elites. This needs its code, and "
            "a file is not trusted to bring any: name it, as in --problem path/to/folder"
        )
    named = reference(problem, [f"{key}={value}" for key, value in kept.parameters.items()])
    if named.name != kept.name:
        raise ProblemError(f"{file} is of the problem {kept.name!r}, not {named.name!r}")
    return named


def default_file(problem: str, words: Sequence[str], source: Reference) -> str:
    """`circle_packing.db`; parameters other than the defaults stand in the name: `circle_packing-n=32.db`."""
    try:
        usual = reference(problem).parameters
    except ProblemError:
        usual = {}
    if not words:
        usual = source.parameters
    other = [f"{key}={value}" for key, value in sorted(source.parameters.items()) if usual.get(key) != value]
    return re.sub(r"[^\w.=+-]", "_", "-".join([source.name, *other])) + ".db"


def strategy(name: str, text: str) -> Mapping[str, Any]:
    """A strategy as an option has it: its name, or a TOML table. Raises SettingsError."""
    if not text.lstrip().startswith("{"):
        return {"use": text}
    try:
        return dict(tomllib.loads(f"table = {text}")["table"])
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f'--{name} is a name or a table like {{use = "name", key = 1}}; {text!r}: {error}'
        ) from error
