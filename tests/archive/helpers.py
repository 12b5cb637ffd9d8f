"""Small runs to put into archives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from archive.samplers import Uniform, drawing
from archive.store import Archive
from archive.types import Candidate, Run, Sampler
from evaluators.types import Evaluation, Reference
from sandboxes.types import Data

DIGEST = "d" * 64
AXES: tuple[Mapping[str, float | str], ...] = (
    {"name": "a", "low": 0.0, "high": 1.0, "bins": 3},
    {"name": "b", "low": -1.0, "high": 1.0, "bins": 2},
)
RUN = Run(
    Reference("toy", {"n": 3, "rate": 0.5, "fast": True, "kind": "x"}),
    DIGEST,
    "maximize",
    seed=7,
    salt="",
    islands=2,
    migration=3,
    sampler='{"use":"uniform"}',
    proposer='{"use":"mutate"}',
    statement="Do it.",
    records=({"value": 1.5, "who": "someone", "source": "somewhere"},),
    axes=AXES,
)


def scored(value: float, a: float = 0.5, b: float = 0.0, artifact: Data = None) -> Evaluation:
    return Evaluation("scored", value, {"a": a, "b": b}, "well done", artifact, sandbox="process", digest=DIGEST)


def failed(outcome: str = "crash") -> Evaluation:
    return replace(Evaluation("crash", feedback="it broke", digest=DIGEST), outcome=outcome)  # type: ignore[arg-type]


def seeded(path: Path, run: Run = RUN) -> Archive:
    """A new archive whose seed has scored 1."""
    archive = Archive.create(path, run)
    archive.add(Candidate(0, {"program.py": "seed"}, (), "seed", key="seed"))
    archive.record(0, scored(1.0))
    return archive


def step(
    archive: Archive, number: int, evaluation: Evaluation, sampler: Sampler | None = None, key: str = ""
) -> int | None:
    """Carry a step out."""
    begun, _ = archive.begin(number, drawing(archive.run, sampler or Uniform(), number))
    files = {"program.py": f"program {number}\n", "part.py": ""}
    earlier = archive.add(Candidate(number, files, begun.parents[:1], "tester", "a note", key or f"key {number}"))
    archive.record(number, evaluation)
    return earlier


def drawn(number: int) -> Evaluation:
    """An outcome that is a function of the step."""
    rng = Random(f"outcome/{number}")
    if rng.random() < 0.3:
        return failed(rng.choice(["crash", "timeout", "scorer", "invalid"]))
    return scored(round(rng.random() * 5, 1), rng.random(), rng.uniform(-1, 1))


def state(archive: Archive) -> object:
    """Everything that a view answers."""
    view, best = archive.view, archive.view.best()
    return (
        view.last,
        [[entry.step for entry in view.elites(island)] for island in range(archive.run.islands)],
        None if best is None else best.step,
        view.outcomes,
        list(view.recent),
        [view.filled(island) for island in (None, *range(archive.run.islands))],
    )
