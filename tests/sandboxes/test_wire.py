"""Messages: everything that may cross does, nothing else does, and hostile bytes are refused with one exception."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sandboxes.wire import DEPTH, DTYPES, HEAD, WireError, decode, encode

LIMIT = 1 << 24
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda name: npst.arrays(np.dtype(name), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
DATA = st.recursive(
    SCALARS | ARRAYS, lambda inner: st.lists(inner) | st.dictionaries(TEXT | st.just("$array"), inner), max_leaves=12
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list):
        return type(b) is list and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return type(b) is float and (a == b or (math.isnan(a) and math.isnan(b)))
    return type(a) is type(b) and bool(a == b)


@given(DATA)
def test_what_goes_in_comes_out(value: Any) -> None:
    assert same(value, decode(encode(value, LIMIT)))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_data(message: bytes) -> None:
    try:
        value = decode(message)
    except WireError:
        return
    assert same(value, decode(encode(value, LIMIT)))


@settings(max_examples=300)
@given(DATA, st.data())
def test_changed_messages_are_refused_or_data(value: Any, data: st.DataObject) -> None:
    message = bytearray(encode(value, LIMIT))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        changed = decode(message)
    except WireError:
        return
    assert same(changed, decode(encode(changed, LIMIT)))


@given(st.text(alphabet='{}[]",:$array0123456789-.e<f8|b1 \\ud', max_size=80))
def test_json_that_looks_like_references(text: str) -> None:
    body = text.encode()
    try:
        value = decode(HEAD.pack(len(body) + 8, len(body)) + body + bytes(8))
    except WireError:
        return
    assert same(value, decode(encode(value, LIMIT)))


def raw(text: bytes, arrays: bytes = b"") -> bytes:
    return HEAD.pack(len(text) + len(arrays), len(text)) + text + arrays


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"", "at least 8 bytes"),
        (struct.pack("<II", 5, 9) + b"12345", "the head speaks of"),
        (raw(b"\xff"), "not UTF-8"),
        (raw(b"[" * 100_000), "nested deeper"),
        (raw(b"[" * (DEPTH + 2) + b"]" * (DEPTH + 2)), "nested deeper"),
        (raw(b"1" * 5000), "broken JSON"),
        (raw(b'"\\ud800"'), "surrogate"),
        (raw(b'{"$other":1}'), "no such reference"),
        (raw(b'{"$array":["<f8",[1],0],"x":1}', bytes(8)), "other keys"),
        (raw(b'{"$array":["|O8",[1],0]}', bytes(8)), "no such dtype"),
        (raw(b'{"$array":["<f8",[true],0]}', bytes(8)), "a shape is a list"),
        (raw(b'{"$array":["<f8",[-1],0]}', bytes(8)), "a shape is a list"),
        (raw(b'{"$array":["<f8",[2],0]}', bytes(8)), "where 8 are left"),
        (raw(b'{"$array":["<f8",[1],0]}', bytes(16)), "belong to no array"),
        (raw(b'[{"$array":["<f8",[1],0]},{"$array":["<f8",[1],0]}]', bytes(16)), "starts at byte 8"),
        (raw(b'{"$array":["<f8",[4611686018427387903,4611686018427387903],0]}'), "are left"),
        (raw(b'{"$array":["<f8",[0,4611686018427387903,4611686018427387903],0]}'), "no such shape"),
        (raw(b'{"$array":["|b1",[1],0]}', b"\x02"), "neither 0 nor 1"),
    ],
)
def test_hostile_messages(message: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        decode(message)


class Matrix(np.ndarray[Any, Any]):
    """An array that would like to be more."""


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([0, 1, {"x": {1}}], r"return JSON values or numpy arrays; got set at \[2\].x"),
        ({1: 2}, "keys must be strings, got int"),
        (1j, "got complex"),
        (np.array([None]), "array of object"),
        (np.array(["a"]), "array of <U1"),
        (np.longdouble(1), "got longdouble"),
        pytest.param(10**5000, "digits", id="digits"),
        ("\ud800", "surrogate"),
        (np.zeros(10**7), "at most"),
        (object(), "got object"),
    ],
)
def test_what_is_no_data(value: Any, says: str) -> None:
    with pytest.raises(WireError, match=says):
        encode(value, LIMIT)


def test_numpy_in_plain_clothes() -> None:
    value = decode(encode([np.float32(0.5), np.int8(3), np.bool_(True), (1, 2), np.ones(2).view(Matrix)], LIMIT))
    assert isinstance(value, list)
    assert value[:4] == [0.5, 3, True, [1, 2]]
    assert [type(item) for item in value] == [float, int, bool, list, np.ndarray]


def test_arrays_are_writable_and_apart() -> None:
    message = encode([np.arange(3), np.arange(3)], LIMIT)
    first, second = decode(message)  # type: ignore[misc]
    first[0] = 7
    assert second[0] == 0
    assert first.flags.owndata


def test_one_reference_used_twice_crosses_twice() -> None:
    array = np.arange(3)
    assert same(decode(encode([array, array], LIMIT)), [array, array])
