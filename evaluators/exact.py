"""Exact arithmetic on doubles: every finite double is a rational whose denominator is a power of two."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction


def floor_float(value: Fraction) -> float:
    """The largest double that is at most the value, so that what is shown never overstates.

    Raises:
        OverflowError: the value is beyond the doubles.
    """
    nearest = float(value)
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def ceil_float(value: Fraction) -> float:
    """The smallest double that is at least the value.

    Raises:
        OverflowError: the value is beyond the doubles.
    """
    return -floor_float(-value)


def total(values: Iterable[float]) -> Fraction:
    """The exact sum of finite doubles."""
    return sum(map(Fraction, values), Fraction(0))


def whole(values: Iterable[float]) -> tuple[list[int], int]:
    """Finite doubles as whole multiples of a common unit 1/scale: exact, and quicker than fractions.

    Returns:
        The multiples, in order, and the scale (a power of two): `values[i] == multiples[i] / scale` exactly.
    """
    ratios = [value.as_integer_ratio() for value in values]
    scale = max((bottom for _, bottom in ratios), default=1)
    return [top * (scale // bottom) for top, bottom in ratios], scale


def floor_root(square: Fraction, bits: int = 120) -> Fraction:
    """A rational at most the square root and less than 2**-bits below it.

    Raises:
        ValueError: the square is negative.
    """
    return Fraction(math.isqrt((square.numerator << 2 * bits) // square.denominator), 1 << bits)


def root_at_least(square: Fraction, value: Fraction) -> bool:
    """Whether sqrt(square) ≥ value, exactly. Raises ValueError where the square is negative."""
    if square < 0:
        raise ValueError(f"a square cannot be negative: {square}")
    return value <= 0 or square >= value * value


def floor_root_float(square: Fraction) -> float:
    """The largest double that is at most the square root. Raises ValueError where the square is negative."""
    guess = floor_float(floor_root(square, 200))
    after = math.nextafter(guess, math.inf)
    return after if root_at_least(square, Fraction(after)) else guess


def ceil_root_float(square: Fraction) -> float:
    """The smallest double that is at least the square root. Raises ValueError where the square is negative."""
    guess = floor_root_float(square)
    return guess if Fraction(guess) ** 2 == square else math.nextafter(guess, math.inf)
