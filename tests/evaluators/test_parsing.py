import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evaluators.parsing import floats, integer, integers, items, number, require, text
from evaluators.types import Invalid

leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.complex_numbers(), st.binary(max_size=3))
arrays = st.one_of(
    *(hnp.arrays(kind, hnp.array_shapes(max_dims=3, max_side=3)) for kind in ("f8", "f4", "i8", "u8", "?", "c16")),
    hnp.arrays("f8", (2, 3)),
)
anything = st.recursive(
    leaves | arrays, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
)


@given(anything)
def test_what_passes_is_finite_and_of_the_shape(value: Any) -> None:
    for shape in ((), (2,), (2, 3)):
        try:
            checked = floats(value, *shape, limit=1e6)
        except Invalid:
            continue
        assert checked.shape == shape
        assert checked.dtype == np.float64
        assert np.isfinite(checked).all()
        assert (np.abs(checked) <= 1e6).all()
        assert "True" not in repr(value)
        assert "j" not in repr(value)


@given(anything)
def test_integers_are_ints(value: Any) -> None:
    for shape in ((), (2,), (2, 3)):
        try:
            checked = integers(value, *shape, low=-5, high=5)
        except Invalid:
            continue
        assert checked.shape == shape
        assert (checked >= -5).all()
        assert (checked <= 5).all()


@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2), min_size=3, max_size=3))
def test_doubles_pass_unchanged_as_lists_tuples_and_arrays(rows: list[list[float]]) -> None:
    for form in (rows, tuple(map(tuple, rows)), np.array(rows), [np.array(row) for row in rows]):
        assert floats(form, 3, 2).tolist() == rows


@pytest.mark.parametrize(
    "value",
    [
        [True, 1.0],
        ["1", 1.0],
        [None, 1.0],
        [1j, 1.0],
        [math.nan, 1.0],
        [math.inf, 1.0],
        [10**400, 1.0],
        [2**53 + 1, 1.0],
        [1e101, 1.0],
        [1.0],
        [1.0, 2.0, 3.0],
        [[1.0, 2.0]],
        "12",
        b"12",
        {0: 1.0, 1: 2.0},
        np.array([1.0, 2.0, 3.0]),
        np.array([True, False]),
        np.array([1j, 2.0]),
        np.array([2**63 - 1, 0]),
        np.array([1.0, 2.0], dtype=object),
        np.array(["1", "2"]),
        np.array([1.0, math.nan]),
        np.array([1.0, 2.0]).reshape(2, 1),
    ],
)
def test_floats_refuses(value: Any) -> None:
    with pytest.raises(Invalid):
        floats(value, 2)


def test_an_invalid_reason_says_what_was_expected_and_what_came() -> None:
    with pytest.raises(Invalid, match="circles must have 2 items in a row of 2 × 3, not 1"):
        floats([[1.0, 2.0, 3.0]], 2, 3, name="circles")
    with pytest.raises(Invalid, match="numbers, not a bool"):
        floats(True)


def test_require_takes_only_true() -> None:
    require(True, "fine")
    require(np.float64(1) > 0, "fine")
    for condition in (False, math.nan > 0, np.float64(math.nan) >= 0, np.array([True]), 1, None):
        with pytest.raises(Invalid, match="no"):
            require(condition, "no")  # type: ignore[arg-type]


def test_numbers_integers_texts_and_lists() -> None:
    assert number(3, 0, 4) == 3.0
    assert integer(3, 0, 4) == 3
    assert text("abc", 3) == "abc"
    assert items([1, "a"], 1, 2) == [1, "a"]
    for refuse in (
        lambda: number(5, 0, 4),
        lambda: integer(3.0, 0, 4),
        lambda: integer(True, 0, 4),
        lambda: integers(np.array([1.0]), 1),
        lambda: text("abcd", 3),
        lambda: text(b"abc", 3),
        lambda: items("ab", 1, 2),
        lambda: items([1, 2, 3], 1, 2),
    ):
        with pytest.raises(Invalid):
            refuse()
