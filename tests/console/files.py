"""Small run files, made by calling the archive."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from archive.store import Archive
from archive.types import Call, Candidate, Entry, Run, Selection, Settled
from evaluators.types import Evaluation, Reference
from sandboxes.types import Usage

HOSTILE = "\x1b]0;owned\x07\x1b[2J[bold red]x[/]\x9b31m\u202eevil\x00"
"""A title change, a cleared screen, markup, a one-byte CSI, a right-to-left override and a NUL."""

AXES = ({"name": "evenness", "low": 0.0, "high": 1.0, "bins": 4}, {"name": "walls", "low": 0.0, "high": 1.0, "bins": 3})
RECORD = {"value": 2.5, "who": "somebody", "source": "somewhere"}


def run_file(path: Path, axes: int = 2, steps: int = 12, reference: Reference | None = None) -> Path:
    """A file of `steps` steps after the seed; every fifth crashes, and what a program said is hostile."""
    run = Run(
        reference or Reference("circle_packing", {"n": 26}), "d" * 64, "maximize", 1, "", 2, 3,
        '{"use":"uniform"}', '{"use":"mutate"}', "Pack circles.", (RECORD,), AXES[:axes],
    )  # fmt: skip
    archive = Archive.create(path, run)
    archive.add(Candidate(0, {"program.py": "def f():\n    return 0\n"}, (), "seed", key="0"))
    archive.record(0, scored(1.0, 0.1, 0.1))
    rng = Random(1)
    for step in range(1, steps + 1):
        parent = archive.view.best()
        assert parent is not None
        begun, _ = archive.begin(step, lambda view, parent=parent: (0, Selection(parent)))
        text = f"def f():\n    return {step}\n"
        archive.add(Candidate(step, {"program.py": text}, begun.parents, "mutate", f"step [b]{step}[/b]", str(step)))
        if step % 5:
            archive.record(step, scored(1 + step / 10, rng.random(), rng.random()))
        else:
            archive.record(step, Evaluation("crash", feedback=HOSTILE, sandbox="process"))
    archive.close()
    return path


def scored(value: float, evenness: float, walls: float) -> Evaluation:
    measures = {"evenness": evenness, "walls": walls}
    artifact = [[0.5, 0.5, value / 10]]
    return Evaluation("scored", value, measures, "fine", artifact, Usage(0.1, 0.1, 20.0), "process")


def verified(path: Path, value: float | None, reason: str = "") -> Entry:
    """The best entry of a file, judged again."""
    archive = Archive.open(path, write=True)
    best = archive.view.best()
    assert best is not None
    archive.verify(best.step, value, reason, Evaluation("scored", best.value, best.evaluation.measures, stage="audit"))
    archive.close()
    return best


def paid(path: Path, step: int) -> None:
    """Calls to a model for a step: one that failed, one that was answered, one that never ended; all of them hostile."""
    archive = Archive.open(path, write=True)
    prompt = json.dumps([{"role": "system", "content": "Improve it."}, {"role": "user", "content": f"--- {HOSTILE}\nvalue     9"}])
    for number in range(3):
        archive.reserve(Call(step, number, "patch", f"gpt{HOSTILE}", prompt if number else HOSTILE, 0.5), None)
    archive.settle(step, 0, Settled(None, usd=0.0, seconds=0.5, error=f"busy {HOSTILE}"))
    archive.settle(step, 1, Settled(f"text {HOSTILE}\n--- program.py", 10, 5, 0.25, 1.0))
    archive.close()
