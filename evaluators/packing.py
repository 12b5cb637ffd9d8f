"""Packings, verified with exact rational arithmetic and no tolerance."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np

from evaluators.exact import floor_float, floor_root, total, whole
from evaluators.parsing import Floats, floats, require
from evaluators.types import Evaluator, Score
from sandboxes.types import Program

REPAIR = Fraction(1, 10**9)
"""The most that a circle may be shrunk by to mend what misses only by rounding."""
CLEAR = 1e-12
"""A gap that floating point cannot mistake: coordinates in [0, 1] give distances to within 1e-15."""


def circles(n: int) -> Evaluator:
    """Judges `pack(n)`: n disjoint circles [x, y, r] in the unit square; the value is the sum of the radii.

    All is decided on the doubles as they are, as rationals. A packing that misses by at most 1e-9 is mended: a circle
    that leaves the square, and the larger of two that overlap, shrinks by the exact amount, rounded down, and the
    shrunk packing, checked again, is what is scored. The artifact is n × 3 doubles that pass the exact check as they
    stand; the value is the largest double that is at most the exact sum of its radii.

    Measures: `evenness`, the smallest radius over the mean radius (0 … 1); `walls`, the share of circles that touch a
    wall to within a hundredth of their radius; `spread`, the standard deviation of the radii over their mean.

    Raises (the evaluator):
        Invalid: no n × 3 finite numbers, a radius that is not positive, or circles that overlap or leave the square by
            more than rounding; the text says which and by how much.
    """

    def score(program: Program, rng: Random) -> Score:
        given = floats(program.call("pack", n), n, 3, name="what pack(n) returns")
        packed, shrunk = feasible(given)
        radii = packed[:, 2]
        value = floor_float(total(radii.tolist()))
        return Score(value, _measures(packed), _notes(packed, shrunk), packed)

    return score


def feasible(given: Floats) -> tuple[Floats, Fraction]:
    """The packing, mended where it misses by rounding, and the most that a radius lost.

    Args:
        given: n × 3 finite doubles.

    Raises:
        Invalid: as `circles` says.
    """
    least = int(given[:, 2].argmin())
    require(bool(given[least, 2] > 0), f"every radius must be positive; circle {least} has {given[least, 2]!r}")
    inside = (given[:, :2] >= 0).all() and (given[:, :2] <= 1).all() and (given[:, 2] <= 1).all()
    require(bool(inside), "every circle must lie inside the unit square: a centre is outside, or a radius is above 1")
    cuts = _cuts(given)
    if not cuts:
        return given, Fraction(0)
    mended = given.copy()
    for i, cut in cuts.items():
        mended[i, 2] = floor_float(Fraction(float(given[i, 2])) - cut)
        require(bool(mended[i, 2] > 0), f"circle {i} is too small: nothing is left of it once it fits")
    if _cuts(mended):
        raise AssertionError("a mended packing still misses: the scorer is wrong")
    return mended, max(cuts.values())


def _cuts(packing: Floats) -> dict[int, Fraction]:
    """What must come off which radii, as rationals to within 2**-120. Raises Invalid where it is too much."""
    lattice, scale = whole(packing.ravel().tolist())
    cuts: dict[int, Fraction] = {}
    for i in range(len(packing)):
        x, y, r = lattice[3 * i : 3 * i + 3]
        over = r - min(x, y, scale - x, scale - y)
        if over > 0:
            cuts[i] = Fraction(over, scale)
            require(cuts[i] <= REPAIR, f"circle {i} leaves the unit square by {over / scale:.3g}")
            require(over < r, f"circle {i} is too small: nothing is left of it once it fits")
    for i, j in _near(packing):
        dx, dy = lattice[3 * i] - lattice[3 * j], lattice[3 * i + 1] - lattice[3 * j + 1]
        reach = lattice[3 * i + 2] + lattice[3 * j + 2]
        square = dx * dx + dy * dy
        if square < reach * reach:
            cut = Fraction(reach, scale) - floor_root(Fraction(square, scale * scale))
            require(cut <= REPAIR, f"circles {i} and {j} overlap by {float(cut):.3g}")
            larger = i if packing[i, 2] >= packing[j, 2] else j
            left = Fraction(float(packing[larger, 2])) - cut
            require(left > 0, f"circle {larger} is too small: nothing is left of it once it fits")
            cuts[larger] = max(cuts.get(larger, cut), cut)
    return cuts


def _near(packing: Floats) -> list[tuple[int, int]]:
    """The pairs whose order floating point cannot settle, or that overlap."""
    x, y, r = packing.T
    gap = np.hypot(x[:, None] - x, y[:, None] - y) - (r[:, None] + r)
    first, second = np.nonzero(np.triu(gap < CLEAR, 1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def _measures(packing: Floats) -> dict[str, float]:
    x, y, r = packing.T
    mean = float(r.mean())
    touching = np.minimum(np.minimum(x, y), np.minimum(1 - x, 1 - y)) <= 1.01 * r
    return {
        "evenness": float(r.min()) / mean,
        "walls": float(touching.mean()),
        "spread": float(r.std()) / mean,
    }


def _notes(packing: Floats, shrunk: Fraction) -> str:
    x, y, r = packing.T
    gap = np.hypot(x[:, None] - x, y[:, None] - y) - (r[:, None] + r)
    touches = np.triu(gap < 0.01 * (r[:, None] + r), 1)
    wall = np.minimum(np.minimum(x, y), np.minimum(1 - x, 1 - y)) <= 1.01 * r
    loose = np.flatnonzero(~wall & ~touches.any(0) & ~touches.any(1))
    covered = float(np.pi * (r * r).sum())
    said = [
        f"radii {r.min():.4f} … {r.max():.4f}; {covered:.1%} of the square is covered;",
        f"{int(touches.sum())} pairs touch, {int(wall.sum())} circles touch a wall.",
    ]
    if len(loose):
        some = ", ".join(map(str, loose[:8].tolist()))
        said.append(f"Touching nothing: circles {some}{' …' if len(loose) > 8 else ''}.")
    if shrunk:
        said.append(f"Radii were shrunk by up to {float(shrunk):.2g} to be exactly disjoint.")
    return " ".join(said)
