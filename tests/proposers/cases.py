"""A small problem and its entries, for prompts and proposers."""

from __future__ import annotations

from random import Random

from archive.types import Candidate, Entry, Selection
from evaluators.types import Evaluation, Score
from problems.types import Axis, Problem, Record
from sandboxes.types import Files, Needs, Program

SEED = '''"""Where to put the points."""

import numpy as np

LIMIT = 3


# EVOLVE-BLOCK-START
def spread(n):
    """Points on a line."""
    step = 1.0 / n
    return np.arange(n) * step
# EVOLVE-BLOCK-END


def points(n):
    return spread(n)[:LIMIT]
'''


def score(program: Program, rng: Random) -> Score:
    return Score(1.0, {"width": 0.5})


PROBLEM = Problem(
    name="points",
    statement="Spread n points.\n\nWrite `points(n)`. It returns n numbers.",
    seed={"program.py": SEED},
    score=score,
    axes=(Axis("width", 0, 1, 4),),
    needs=Needs(packages=("numpy", "scipy"), seconds=5, processes=2),
    records=(Record(2.5, "an earlier search", "appendix B"),),
    bound=3.0,
)


def entry(step: int, files: Files, value: float, width: float = 0.5, feedback: str = "") -> Entry:
    candidate = Candidate(step, files, (0,) if step else (), "seed" if step == 0 else "mutate")
    return Entry(candidate, Evaluation("scored", value, {"width": width}, feedback))


def selection(*others: Entry, files: Files | None = None, feedback: str = "gap 0.1 between 2 and 3") -> Selection:
    return Selection(entry(0, files or {"program.py": SEED}, 1.25, feedback=feedback), others)
