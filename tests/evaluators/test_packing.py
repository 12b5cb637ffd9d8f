import math
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators import packing
from evaluators.exact import total
from evaluators.fakes import FakeProgram
from evaluators.types import Invalid, Score

FOUR = [[0.25, 0.25, 0.25], [0.75, 0.25, 0.25], [0.25, 0.75, 0.25], [0.75, 0.75, 0.25]]


def scored(circles: Any, n: int = 4) -> Score:
    return packing.circles(n)(FakeProgram({"pack": lambda _: circles}), Random(0))


def strict(artifact: Any) -> bool:
    """A second, plain judge: fractions, every pair, no tolerance."""
    circles = [tuple(map(Fraction, row)) for row in np.asarray(artifact).tolist()]
    inside = all(0 < r <= min(x, y, 1 - x, 1 - y) for x, y, r in circles)
    return inside and all((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= (a[2] + b[2]) ** 2 for i, a in enumerate(circles) for b in circles[:i])


def changed(i: int, k: int, value: Any) -> list[list[Any]]:
    circles: list[list[Any]] = [list(row) for row in FOUR]
    circles[i][k] = value
    return circles


def test_touching_circles_are_disjoint() -> None:
    score = scored(FOUR)
    assert score.value == 1.0
    assert score.measures == {"evenness": 1.0, "walls": 1.0, "spread": 0.0}
    assert np.asarray(score.artifact).tolist() == FOUR
    assert "4 pairs touch, 4 circles touch a wall" in score.notes


def test_lists_tuples_and_arrays_score_alike() -> None:
    assert scored(np.array(FOUR)).value == scored(tuple(map(tuple, FOUR))).value == 1.0


BAD = {
    "too few": FOUR[:3],
    "too many": [*FOUR, [0.5, 0.5, 0.01]],
    "flat": [value for row in FOUR for value in row],
    "empty": [],
    "nothing": None,
    "a dictionary": {"circles": FOUR},
    "a claim": {"value": 9.0},
    "a column short": [row[:2] for row in FOUR],
    "nan centre": changed(0, 0, math.nan),
    "nan radius": changed(0, 2, math.nan),
    "all nan": [[math.nan] * 3] * 4,
    "infinite radius": changed(0, 2, math.inf),
    "negative radius": changed(0, 2, -0.25),
    "zero radius": changed(0, 2, 0.0),
    "minus zero radius": changed(0, 2, -0.0),
    "a bool": changed(0, 2, True),
    "a string": changed(0, 2, "0.25"),
    "a complex number": changed(0, 2, 0.25 + 0j),
    "a complex array": np.array(FOUR, dtype=complex),
    "a bool array": np.ones((4, 3), dtype=bool),
    "huge": changed(0, 2, 1e300),
    "huge whole": changed(0, 2, 10**400),
    "all the same circle": [FOUR[0]] * 4,
    "overlap of 1e-8": changed(0, 0, 0.25 + 1e-8),
    "outside by 1e-8": changed(0, 0, 0.25 - 1e-8),
    "centre outside": changed(0, 0, -0.1),
    "one inside another": changed(3, 2, 0.7),
    "too small to be mended": [[0.25, 0.25, 0.25], [0.0, 0.7, 1e-299], *FOUR[2:]],
}


@pytest.mark.parametrize("circles", BAD.values(), ids=BAD.keys())
def test_what_is_no_packing_is_refused(circles: Any) -> None:
    with pytest.raises(Invalid):
        scored(circles)


def test_the_reason_says_which_circles_and_by_how_much() -> None:
    with pytest.raises(Invalid, match=r"circles 0 and 1 overlap by 0\.001"):
        scored(changed(0, 0, 0.251))
    with pytest.raises(Invalid, match=r"circle 2 leaves the unit square by 0\.05"):
        scored(changed(2, 0, 0.2))


@pytest.mark.parametrize(
    "circles",
    [
        changed(0, 2, math.nextafter(0.25, 1)),
        changed(0, 2, 0.25 * (1 + 1e-15)),
        changed(0, 0, math.nextafter(0.25, 0)),
        changed(3, 1, math.nextafter(0.75, 1)),
        changed(3, 1, math.nextafter(0.75, 0)),
        changed(1, 2, 0.25 + 4e-10),
    ],
)
def test_what_misses_by_rounding_is_mended_exactly_and_scored_as_mended(circles: Any) -> None:
    assert not strict(circles)
    score = scored(circles)
    assert strict(score.artifact)
    assert Fraction(score.value) < sum(Fraction(row[2]) for row in circles)
    assert score.value >= 1 - 5e-9
    assert "were shrunk by up to" in score.notes
    assert scored(score.artifact).value == score.value
    assert "shrunk" not in scored(score.artifact).notes


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([0.0, 1e-17, 1e-16, 1e-12, 1e-9, 1e-6]), st.integers(2, 9))
def test_the_artifact_always_passes_a_plain_exact_judge(seed: int, slip: float, n: int) -> None:
    rng = Random(seed)
    circles: list[list[float]] = []
    for _ in range(n):
        x, y = rng.random(), rng.random()
        room = min([x, y, 1 - x, 1 - y, *(math.dist((x, y), other[:2]) - other[2] for other in circles)])
        circles.append([x, y, room + slip * rng.random()])
    try:
        score = scored(circles, n)
    except Invalid:
        assert not strict(circles)
        return
    assert strict(score.artifact)
    assert Fraction(score.value) <= total(np.asarray(score.artifact)[:, 2].tolist())
    assert score.value <= sum(row[2] for row in circles) + 1e-15
    if strict(circles):
        assert np.asarray(score.artifact).tolist() == circles


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=3, max_size=3))
def test_no_three_circles_score_unless_a_plain_exact_judge_agrees(circles: list[list[float]]) -> None:
    try:
        score = scored(circles, 3)
    except Invalid:
        assert not strict(circles)
        return
    assert strict(score.artifact)
