"""Pack n circles into the unit square so that the sum of their radii is as large as you can make it.

Write `pack(n)`. It returns n triples [x, y, r]: disjoint circles (they may touch) of positive radius r and centre (x,
y), each inside the unit square 0 ≤ x, y ≤ 1. The order of the circles does not matter. The value is the sum of the
radii.

Every condition is checked exactly, on the doubles as they are. Circles that miss by at most 1e-9 are shrunk by the
amount needed and are scored as shrunk; what misses by more is invalid.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from evaluators import packing
from problems.types import Axis, Problem, Record, beside
from sandboxes.types import Data, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHITE_PAPER = "AlphaEvolve, appendix B.12: https://arxiv.org/abs/2506.13131"
AT_SCALE = "Mathematical exploration and discovery at scale, 6.19: https://arxiv.org/abs/2511.02864"

RECORDS = {
    26: (
        Record(2.634, "best known before AlphaEvolve", WHITE_PAPER),
        Record(2.635862, "AlphaEvolve, May 2025", WHITE_PAPER),
        Record(2.635983084917, "AlphaEvolve, November 2025", AT_SCALE),
    ),
    32: (
        Record(2.936, "best known before AlphaEvolve", WHITE_PAPER),
        Record(2.937944, "AlphaEvolve, May 2025", WHITE_PAPER),
        Record(2.939572771206, "AlphaEvolve, November 2025", AT_SCALE),
    ),
}
"""Strictly feasible values, rounded down; higher digits in print rest on tolerances."""


def problem(n: int = 26) -> Problem:
    """Circle packing for n circles. Raises ValueError where n is below 1 or above 1,000."""
    if not 1 <= n <= 1000:
        raise ValueError(f"n must be 1 … 1000, not {n}")
    return Problem(
        name="circle_packing",
        statement=__doc__ or "",
        seed=beside(__file__, "seed.py"),
        score=packing.circles(n),
        axes=(Axis("evenness", 0, 1, 16), Axis("walls", 0, 1, 16)),
        needs=Needs(packages=("numpy",), seconds=5),
        records=RECORDS.get(n, ()),
        bound=bound(n),
        plot=plot,
    )


def bound(n: int) -> float:
    """No packing's radii have a larger sum.

    The areas add up to at most 1, so Σ r² ≤ 1/π and, by Cauchy and Schwarz, (Σ r)² ≤ n Σ r² ≤ n/π.
    No radius is above 1/2.
    """
    return min(math.nextafter(math.sqrt(n / math.pi), math.inf), n / 2)


def plot(artifact: Data) -> Figure:
    """The circles in the square: an n × 3 array of x, y, r."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    circles = np.asarray(artifact, dtype=np.float64)
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.add_subplot()
    shades = circles[:, 2] / circles[:, 2].max()
    for (x, y, r), shade in zip(circles.tolist(), shades.tolist(), strict=True):
        blue = (0.2, 0.4, 0.7, 0.15 + 0.5 * shade)
        axes.add_patch(Circle((x, y), r, facecolor=blue, edgecolor="black", linewidth=0.8))
    title = f"{len(circles)} circles, sum of radii {circles[:, 2].sum():.6f}"
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=title)
    return figure
