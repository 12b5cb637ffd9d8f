"""`elites new`: a problem folder that works at once, to be changed into one's own."""

from __future__ import annotations

from pathlib import Path

from agent.console.text import say
from problems.loading import ProblemError

PROBLEM = '''"""Place n points in the unit square so that the smallest distance between two of them is large.

Write `points(n)`. It returns n pairs [x, y] with 0 ≤ x, y ≤ 1.
"""

from itertools import combinations
from math import dist

from evaluators.parsing import floats, require
from evaluators.types import Score
from problems.types import Axis, Problem, beside


def problem(n: int = 10) -> Problem:
    def score(program, rng):
        points = floats(program.call("points", n), n, 2)
        require(points.min() >= 0 and points.max() <= 1, "a point leaves the square")
        smallest = min(dist(a, b) for a, b in combinations(points.tolist(), 2))
        return Score(smallest, measures={"height": points[:, 1].mean()}, artifact=points)

    seed = beside(__file__, "seed.py")
    return Problem("@NAME@", __doc__, seed, score, sense="maximize", axes=(Axis("height", 0, 1, 10),))
'''

SEED = '''"""Points on the diagonal; what leaves the square comes in again at the other side."""


# EVOLVE-BLOCK-START
def points(n):
    right, up = 1 / n, 1 / n
    return [[right * i % 1, up * i % 1] for i in range(n)]


# EVOLVE-BLOCK-END
'''


def new(folder: Path) -> None:
    """Make the folder. Raises ProblemError where it exists or its name is no word."""
    name = folder.name
    if not name.isidentifier():
        raise ProblemError(f"a problem's name is letters, digits and _, not beginning with a digit; {name!r} came")
    if folder.exists():
        raise ProblemError(f"{folder} exists already; take another name")
    folder.mkdir(parents=True)
    (folder / "problem.py").write_text(PROBLEM.replace("@NAME@", name), "utf-8")
    (folder / "seed.py").write_text(SEED, "utf-8")
    say(f"{folder / 'problem.py'}\n{folder / 'seed.py'}")
    say(f"It works as it is:   elites check {folder}   elites run {folder}")
