import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.exact import (
    ceil_float,
    ceil_root_float,
    floor_float,
    floor_root,
    floor_root_float,
    root_at_least,
    total,
    whole,
)

rationals = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**30)
squares = st.fractions(min_value=0, max_value=10**6, max_denominator=10**30)
doubles = st.floats(-1e6, 1e6)


@given(rationals)
def test_floor_and_ceil_are_the_nearest_doubles_on_either_side(value: Fraction) -> None:
    low, high = floor_float(value), ceil_float(value)
    assert Fraction(low) <= value < Fraction(math.nextafter(low, math.inf))
    assert Fraction(math.nextafter(high, -math.inf)) < value <= Fraction(high)


@given(squares)
def test_roots_are_bounded_on_both_sides(square: Fraction) -> None:
    low, high = floor_root_float(square), ceil_root_float(square)
    assert Fraction(low) ** 2 <= square < Fraction(math.nextafter(low, math.inf)) ** 2
    assert square <= Fraction(high) ** 2
    root = floor_root(square)
    assert root**2 <= square < (root + Fraction(1, 2**120)) ** 2


@given(squares, rationals)
def test_comparing_a_root_needs_no_root(square: Fraction, value: Fraction) -> None:
    low = floor_root(square, 400)
    if value <= low:
        assert root_at_least(square, value)
    if value > low + Fraction(1, 2**400):
        assert not root_at_least(square, value)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=6))
def test_whole_multiples_and_totals_are_exact(values: list[float]) -> None:
    multiples, scale = whole(values)
    assert [Fraction(multiple, scale) for multiple in multiples] == [Fraction(value) for value in values]
    assert total(values) == sum((Fraction(value) for value in values), Fraction(0))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        root_at_least(Fraction(-1), Fraction(1))
    with pytest.raises(ValueError, match="nonnegative"):
        floor_root(Fraction(-1))
    with pytest.raises(OverflowError):
        floor_float(Fraction(10) ** 400)
