"""Parse, don't trust: what a program returned becomes something checked, or `Invalid` says why not.

Sizes and magnitudes are bounded before anything is computed from them. Nothing is truncated, rounded or guessed.
"""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from evaluators.types import Invalid
from sandboxes.types import Data

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

LARGEST = 1e100
"""Larger magnitudes are refused unless the scorer asks for them."""
EXACT = 2**53
"""Whole numbers up to here are doubles."""
WIDEST = 2**63 - 1
KIND = "the reply, or something in it, is not of the type that was asked for"
SHAPE = "the reply has another shape than was asked for"
FINITE = "the reply must be finite: it has a NaN or an infinity"
RANGE = "the reply, or a number in it, is outside what is allowed"
"""What may be told of a reply where inputs are hidden."""


def require(condition: bool | np.bool_, reason: str, told: str = "") -> None:
    """Go on only if the condition is true: a comparison with NaN is not.

    Args:
        reason: why not, for the program's author.
        told: what is said instead where inputs are hidden: fixed words.

    Raises:
        Invalid: the condition is anything but true.
    """
    if condition is True or condition is np.True_:
        return
    raise Invalid(reason, told)


def floats(value: Data, *shape: int, limit: float = LARGEST, name: str = "the reply") -> Floats:
    """Finite doubles of exactly this shape, from nested lists or arrays of floats and ints.

    Args:
        value: what the program returned.
        shape: the length of each dimension; none for a single number.
        limit: the largest magnitude allowed.
        name: what to call it in the reason.

    Raises:
        Invalid: another shape; a bool, string, complex or other thing that is no number; NaN, an infinity or a
            magnitude above the limit; a whole number that no double represents.
    """
    leaves: list[float] = []
    _walk_floats(value, shape, leaves, name)
    array = np.array(leaves, dtype=np.float64).reshape(shape)
    require(bool(np.all(np.isfinite(array))), f"{name} must be finite: it has a NaN or an infinity", FINITE)
    require(bool(np.all(np.abs(array) <= limit)), f"{name} has a magnitude above {limit:g}", RANGE)
    return array


def integers(value: Data, *shape: int, low: int = -WIDEST, high: int = WIDEST, name: str = "the reply") -> Integers:
    """Whole numbers of exactly this shape, from nested lists or arrays of ints.

    Raises:
        Invalid: another shape; a bool, float or other thing that is no int; a number outside low … high.
    """
    leaves: list[int] = []
    _walk_integers(value, shape, leaves, name)
    for leaf in leaves:
        require(low <= leaf <= high, f"{name} must lie within {low} … {high}", RANGE)
    return np.array(leaves, dtype=np.int64).reshape(shape)


def number(value: Data, low: float = -LARGEST, high: float = LARGEST, name: str = "the reply") -> float:
    """A finite number within low … high. Raises Invalid where it is none."""
    checked = float(floats(value, limit=max(abs(low), abs(high)), name=name))
    require(low <= checked <= high, f"{name} must lie within {low:g} … {high:g}, not {checked!r}", RANGE)
    return checked


def integer(value: Data, low: int = -WIDEST, high: int = WIDEST, name: str = "the reply") -> int:
    """A whole number within low … high. Raises Invalid where it is none."""
    return int(integers(value, low=low, high=high, name=name))


def text(value: Data, limit: int = 10_000, name: str = "the reply") -> str:
    """A string of at most `limit` characters. Raises Invalid where it is none."""
    require(type(value) is str, f"{name} must be a string, not {_kind(value)}", KIND)
    checked = cast(str, value)
    require(len(checked) <= limit, f"{name} has {len(checked)} characters; {limit} are allowed", RANGE)
    return checked


def items(value: Data, low: int, high: int, name: str = "the reply") -> list[Data]:
    """A list of low … high things, themselves unchecked. Raises Invalid where it is none."""
    require(type(value) in (list, tuple), f"{name} must be a list, not {_kind(value)}", KIND)
    checked = cast("list[Data]", value)
    require(low <= len(checked) <= high, f"{name} must have {low} … {high} items, not {len(checked)}", SHAPE)
    return list(checked)


def _walk_floats(value: Data, shape: tuple[int, ...], leaves: list[float], name: str) -> None:
    if isinstance(value, np.ndarray):
        _shaped(value, shape, name)
        require(value.dtype.kind in "fiu" and value.dtype.itemsize <= 8, f"{name} has numbers of type {value.dtype}", KIND)
        if value.dtype.kind != "f":
            require(bool(np.all((value <= EXACT) & (value >= -EXACT))), f"{name} has a whole number above 2**53", RANGE)
        leaves.extend(value.astype(np.float64).ravel().tolist())
    elif shape:
        for item in _row(value, shape, name):
            _walk_floats(item, shape[1:], leaves, name)
    elif type(value) is float:
        leaves.append(value)
    else:
        require(type(value) is int, f"{name} must have numbers, not {_kind(value)}", KIND)
        whole = cast(int, value)
        require(-EXACT <= whole <= EXACT, f"{name} has a whole number above 2**53", RANGE)
        leaves.append(float(whole))


def _walk_integers(value: Data, shape: tuple[int, ...], leaves: list[int], name: str) -> None:
    if isinstance(value, np.ndarray):
        _shaped(value, shape, name)
        require(value.dtype.kind in "iu", f"{name} must have whole numbers, not {value.dtype}", KIND)
        leaves.extend(value.ravel().tolist())
    elif shape:
        for item in _row(value, shape, name):
            _walk_integers(item, shape[1:], leaves, name)
    else:
        require(type(value) is int, f"{name} must have whole numbers, not {_kind(value)}", KIND)
        leaves.append(cast(int, value))


def _shaped(value: npt.NDArray[np.generic], shape: tuple[int, ...], name: str) -> None:
    require(value.shape == shape, f"{name} must have shape {_said(shape)}, not {_said(value.shape[:8])}", SHAPE)


def _row(value: Data, shape: tuple[int, ...], name: str) -> list[Data]:
    require(type(value) in (list, tuple), f"{name} must have shape {_said(shape)}; it has {_kind(value)} instead", SHAPE)
    row = cast("list[Data]", value)
    require(len(row) == shape[0], f"{name} must have {shape[0]} items in a row of {_said(shape)}, not {len(row)}", SHAPE)
    return row


def _said(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "()"


def _kind(value: object) -> str:
    return "nothing (None)" if value is None else f"a {type(value).__name__}"
