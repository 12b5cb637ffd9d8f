"""`evaluate` and `check`: one program through the sandbox, and a problem put to the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from agent.console.drawing import DrawingError, picture
from agent.console.facts import of_evaluation
from agent.console.text import block, number, say, say_json, warn
from evaluators.digest import scoring_digest
from evaluators.engines.local import Sandboxed
from evaluators.types import Evaluation, Job, Reference
from problems.loading import ProblemError, folder_files, load, reference
from problems.types import Problem
from sandboxes.choose import Name, choose
from sandboxes.types import MAIN, Files, SandboxUnavailable


@dataclass(frozen=True)
class Bench:
    """A problem with an engine to try programs on."""

    source: Reference
    problem: Problem
    digest: str
    engine: Sandboxed
    seed: int = 1

    def tried(self, files: Files, repeat: int = 0) -> Evaluation:
        """What becomes of a program, in a box of its own."""
        job = Job(self.source, self.digest, files, repeat=repeat, seed=self.seed, fresh=True)
        return self.engine.evaluate(job)


@contextmanager
def bench(problem: str, words: Sequence[str], sandbox: Name, seed: int = 1) -> Iterator[Bench]:
    """Raises ProblemError, SandboxUnavailable; ProblemError also where the scorer's source cannot be read."""
    source = reference(problem, words)
    loaded = load(source)
    try:
        digest = scoring_digest(loaded)
    except ValueError as error:
        raise ProblemError(str(error)) from error
    box, why = choose(sandbox, "strict", label=source.name, say=warn)
    try:
        if loaded.secret and box.name == "process" and sandbox == "auto":
            raise SandboxUnavailable(
                f"{why}. {source.name} has hidden inputs, which an attack could read: name the sandbox, as in "
                "--sandbox process, to go on all the same"
            )
        warn(why)
        yield Bench(source, loaded, digest, Sandboxed(box, load), seed)
    finally:
        box.close()


def evaluate(problem: str, words: Sequence[str], program: Path, seed: int, sandbox: Name, as_json: bool) -> None:
    """Score one program and say why."""
    files = program_files(program)
    with bench(problem, words, sandbox, seed) as on:
        evaluation = on.tried(files)
    facts = {
        "problem": on.source.name,
        "parameters": dict(on.source.parameters),
        "sense": on.problem.sense,
        "step": None,
        **of_evaluation(evaluation),
        "verified": False,
    }
    if as_json:
        say_json(facts)
        return
    say(f"outcome   {evaluation.outcome}")
    if evaluation.value is not None:
        say(f"value     {number(evaluation.value, exact=True)} ({on.problem.sense})")
    for record in on.problem.records:
        say(f"record    {number(record.value, exact=True)}  {record.who}, {record.source}")
    for name, measure in evaluation.measures.items():
        say(f"measure   {name} = {number(measure)}")
    say(f"sandbox   {evaluation.sandbox} ({evaluation.isolation})")
    if evaluation.feedback:
        say(block("feedback", evaluation.feedback))


def program_files(path: Path) -> Files:
    """A Python file as `program.py`, or the text files of a folder that holds one. Raises ProblemError."""
    if path.is_dir():
        files = folder_files(path)
        if MAIN not in files:
            raise ProblemError(f"the folder {path} holds no {MAIN}: functions are looked up there")
        return files
    if not path.is_file():
        raise ProblemError(f"there is no program {path}")
    try:
        return {MAIN: path.read_bytes().decode("utf-8")}
    except UnicodeDecodeError as error:
        raise ProblemError(f"{path} is no text in UTF-8: {error}") from error


def check(problem: str, words: Sequence[str], sandbox: Name, as_json: bool) -> None:
    """Put a problem to the test. Exit code 1 where it fails one."""
    with bench(problem, words, sandbox) as on:
        found = [{"check": name, "ok": fault == "", "text": fault} for name, fault in checks(on)]
    good = all(entry["ok"] for entry in found)
    if as_json:
        say_json({"problem": on.source.name, "parameters": dict(on.source.parameters), "ok": good, "checks": found})
    else:
        for entry in found:
            text = f": {entry['text']}" if entry["text"] else ""
            say(f"{'ok  ' if entry['ok'] else 'FAIL'}  {entry['check']}{text}".replace("\n", "\n      "))
    if not good:
        raise typer.Exit(1)


def checks(on: Bench) -> Iterator[tuple[str, str]]:
    """Each thing checked, and what is wrong with it (empty: nothing)."""
    problem = on.problem
    yield f"it loads, with the scoring digest {on.digest[:12]}", ""
    yield "it has a statement", "" if problem.statement.strip() else "there is none: what shall a model work on?"
    yield "the seed has a program.py", "" if MAIN in problem.seed else f"its files are {', '.join(problem.seed)}"
    refused = problem.screen(problem.seed) if problem.screen else None
    yield "the screen lets the seed pass", refused or ""
    first = on.tried(problem.seed)
    scored = first.outcome == "scored"
    yield "the seed is scored" + (f" ({number(first.value)})" if scored else ""), "" if scored else _why(first)
    if scored:
        again = on.tried(problem.seed)
        same = (first.outcome, first.value, first.measures) == (again.outcome, again.value, again.measures)
        yield "scored again it gets the same", "" if same else f"{_why(first)}, then {_why(again)}"
    for name, program in _BROKEN.items():
        ended = on.tried({MAIN: program})
        good = ended.outcome not in ("scored", "scorer")
        yield f"{name} gets no value ({ended.outcome})", "" if good else _why(ended)
    passing = [r.who for r in problem.records if problem.bound is not None and problem.better(r.value, problem.bound)]
    yield "no record passes the bound", f"passed by {', '.join(passing)}" if passing else ""
    if problem.plot is not None and first.artifact is not None:
        yield "it draws the seed's artifact", _drawn(problem, first.artifact)


_BROKEN = {
    "an empty program": "",
    "a program that does not compile": "def",
    "a program whose every function returns None": "def __getattr__(name):\n    return lambda *a, **k: None\n",
}


def _why(evaluation: Evaluation) -> str:
    """What became of it, in words; what a program or a scorer says may have many lines."""
    value = f" {number(evaluation.value, exact=True)}" if evaluation.value is not None else ""
    said = evaluation.feedback.strip()
    return f"{evaluation.outcome}{value}" + (f": {said}" if said else "")


def _drawn(problem: Problem, artifact: Any) -> str:
    if problem.plot is None:
        return "there is nothing to draw with"
    try:
        picture(problem.plot, artifact)
    except DrawingError as error:
        return str(error)
    return ""
