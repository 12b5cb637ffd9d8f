"""What a model is told: pure functions of problem and selection. The words are in the templates beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.blocks import marked
from agent.prompts.quoting import fence, line, quoted
from agent.replies import PROGRAM
from agent.types import Message
from archive.types import Entry, Selection
from problems.types import Problem
from sandboxes.types import MAIN, Files

Form: TypeAlias = Literal["patch", "rewrite"]

FEEDBACK = 4_000
"""Characters of the feedback on the parent."""
INSPIRATIONS = 60_000
"""Characters of all inspirations' programs; one that does not fit any more is left out."""

LANGUAGES: Mapping[str, str] = {".py": "python", ".md": "markdown", ".cpp": "cpp", ".rs": "rust", ".js": "javascript"}


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        autoescape=False,  # noqa: S701  (plain text; what others wrote goes through `quoting`)
    )
    environment.filters.update(line=line, quoted=quoted, programs=programs, number=number, figures=figures)
    return environment


def proposal(problem: Problem, selection: Selection, form: Form) -> list[Message]:
    """The messages that ask for a better program than the parent of a selection, as blocks or as a whole."""
    parent = selection.parent
    facts = {
        "problem": problem,
        "form": form,
        "parent": parent,
        "marked": marked(parent.files),
        "several": len(parent.files) > 1,
        "inspirations": [(entry, _why(problem, parent, entry)) for entry in _fitting(selection.inspirations)],
        "feedback_limit": FEEDBACK,
        "program_limit": PROGRAM,
        "main": MAIN,
    }
    system = _templates().get_template("system.j2").render(facts).strip()
    user = _templates().get_template("task.j2").render(facts).strip()
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def again(messages: Sequence[Message], reply: str, reason: str, form: Form) -> list[Message]:
    """The messages that ask once more after a reply of which no program came."""
    user = _templates().get_template("again.j2").render(reason=reason, form=form).strip()
    return [*messages, {"role": "assistant", "content": reply}, {"role": "user", "content": user}]


def programs(files: Files) -> str:
    """Every file in a fence, under its path where there are several."""
    shown = []
    for path in sorted(files, key=lambda path: (path != MAIN, path)):
        text = fence(files[path], LANGUAGES.get(PurePosixPath(path).suffix, ""))
        shown.append(text if len(files) == 1 else f"{path}\n{text}")
    return "\n\n".join(shown)


def number(value: float) -> str:
    """A value in full: two values that differ are never shown alike."""
    return repr(value)


def figures(measures: Mapping[str, float]) -> str:
    """Measures on one line."""
    return ", ".join(f"{name} {value:.6g}" for name, value in sorted(measures.items()))


def _fitting(entries: Sequence[Entry]) -> list[Entry]:
    left, kept = INSPIRATIONS, []
    for entry in entries:
        size = sum(map(len, entry.files.values()))
        if size <= left:
            left -= size
            kept.append(entry)
    return kept


def _why(problem: Problem, parent: Entry, entry: Entry) -> str:
    """Why an inspiration is shown: it is better, or different on some axis of the map."""
    if problem.better(entry.value, parent.value):
        return "it is better than the current program"
    differing = [
        axis.name
        for axis in problem.axes
        if axis.bin(entry.evaluation.measures[axis.name]) != axis.bin(parent.evaluation.measures[axis.name])
    ]
    if differing:
        return f"it is the best known program of another kind: it differs in {' and '.join(differing)}"
    return "it is another good program"
