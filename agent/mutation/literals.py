"""Literal numbers as text, and numbers near a number."""

from __future__ import annotations

import math
from random import Random

SCALES = (0.003, 0.02, 0.1, 0.4, 1.2)
"""How far a number moves, relative to itself, in one draw."""
SHIFTS = (0.001, 0.01, 0.05, 0.3)
"""How far a number moves, in units, in one draw."""


def number(value: float) -> str:
    """A literal of about six digits, finite."""
    return repr(float(f"{value:.6g}"))


def nudged(value: float, rng: Random) -> float:
    """A number near a number, on one of several scales."""
    if value == 0 or rng.random() < 0.4:
        return value + rng.gauss(0, rng.choice(SHIFTS))
    return value * math.exp(rng.gauss(0, rng.choice(SCALES)))


def signed(value: float) -> str:
    """A number's literal that can stand beside an operator."""
    short = number(value)
    return f"({short})" if short.startswith("-") else short
