"""Plain data as bytes: what crosses the border between us and a program.

A message is an 8-byte head (payload length and JSON length, both little-endian u32), then JSON, then the raw bytes of
the arrays, little-endian and in C order. The JSON names an array as `{"$array": [dtype, shape, offset]}`; any other key
that starts with `$` is written with one `$` more. Arrays stand in the order in which the JSON names them and fill the
rest of the message exactly. Nothing in a message can be executed.

Both sides use this file, so it needs the standard library only, and numpy where it is installed.
"""

from __future__ import annotations

import importlib
import json
import math
import struct
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandboxes.types import Data

HEAD = struct.Struct("<II")
LARGEST = 2**32 - 1
DEPTH = 200
"""Lists and dicts may be nested this deep."""
MANY = 1_000_000
"""A message may have so many brackets: each opens a list or dict, which takes 60 times its own size in memory."""
RANK = 32
"""Arrays may have this many axes."""
DTYPES = ("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
SIZES = {name: int(name[2:]) for name in DTYPES}
HELP = "return JSON values or numpy arrays"
_FLAT = {bool, int, float, type(None)}


class WireError(ValueError):
    """The value is not data, or the bytes are not a message; the text says where and why."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem, place)
        self.problem = problem
        self.place = place

    def inside(self, key: str) -> WireError:
        return WireError(self.problem, key + self.place)

    def __str__(self) -> str:
        return f"{self.problem} at {self.place.removeprefix('.')}" if self.place else self.problem


def encode(value: Data, limit: int) -> bytes:
    """Returns the message for a value; numpy scalars become numbers, tuples lists, array subclasses plain arrays.

    Raises:
        WireError: the value holds something else than JSON values and numpy arrays of bool, int, float or complex; a
            key is not a string; it is nested deeper than 200; or the message is longer than `limit` bytes.
    """
    arrays: list[Any] = []
    plain = _plain(value, arrays, 0, [0])
    try:
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), check_circular=False).encode()
    except UnicodeEncodeError:
        raise WireError(f"{HELP}; got a string with half a surrogate pair") from None
    except ValueError as error:
        raise WireError(f"{HELP}; {error}") from None
    _few(text)
    size = len(text) + sum(array.nbytes for array in arrays)
    if HEAD.size + size > min(limit, LARGEST):
        raise WireError(f"the value takes {size / 1e6:.3g} MB; at most {limit / 1e6:.3g} MB may cross")
    return b"".join([HEAD.pack(size, len(text)), text, *(array.reshape(-1).view("u1").data for array in arrays)])


def decode(message: bytes | bytearray) -> Data:
    """Returns the value of a message that anybody may have written.

    Raises:
        WireError: a length is wrong, the JSON is broken or too deep, a string is not Unicode, or an array's dtype,
            shape or place is not one that `encode` writes.
    """
    if len(message) < HEAD.size:
        raise WireError(f"a message has at least {HEAD.size} bytes; got {len(message)}")
    size, length = HEAD.unpack_from(message)
    if size != len(message) - HEAD.size or length > size:
        raise WireError(f"the head speaks of {size} bytes with {length} of JSON; {len(message) - HEAD.size} followed")
    start = HEAD.size + length
    text = bytes(message[HEAD.size : start])
    _few(text)
    try:
        tree = json.loads(text.decode())
    except UnicodeDecodeError:
        raise WireError("the JSON is not UTF-8") from None
    except RecursionError:
        raise WireError(f"nested deeper than {DEPTH}") from None
    except ValueError as error:
        raise WireError(f"broken JSON: {str(error)[:200]}") from None
    reader = _Reader(memoryview(message)[start:])
    value: Data = reader.value(tree, 0)
    if reader.used != len(reader.raw):
        raise WireError(f"{len(reader.raw) - reader.used} bytes belong to no array")
    return value


def _plain(value: Any, arrays: list[Any], depth: int, used: list[int]) -> Any:
    """Replaces arrays by references; `used` holds the bytes they take so far."""
    kind = type(value)
    if kind in _FLAT or kind is str:
        return value
    if depth > DEPTH:
        raise WireError(f"{HELP}; got something nested deeper than {DEPTH}")
    if isinstance(value, dict):
        return _plain_dict(value, arrays, depth, used)
    if isinstance(value, (list, tuple)):
        if _FLAT.issuperset(map(type, value)):
            return value
        done = []
        for index, item in enumerate(value):
            try:
                done.append(_plain(item, arrays, depth + 1, used))
            except WireError as error:
                raise error.inside(f"[{index}]") from None
        return done
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _reference(value, arrays, used)
    for base in (str, int, float):
        if isinstance(value, base):
            return base(value)
    if numpy is not None and isinstance(value, (numpy.bool_, numpy.integer, numpy.floating)):
        item = value.item()
        if type(item) in _FLAT:
            return item
    raise WireError(f"{HELP}; got {kind.__name__[:80]}")


def _few(text: bytes) -> None:
    if len(text) > MANY and text.count(b"[") + text.count(b"{") > MANY:
        raise WireError(f"more than {MANY:,} lists and dicts; numpy arrays hold many numbers")


def _plain_dict(value: dict[Any, Any], arrays: list[Any], depth: int, used: list[int]) -> dict[str, Any]:
    done = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise WireError(f"{HELP}; keys must be strings, got {type(key).__name__[:80]}")
        try:
            done["$" + key if key.startswith("$") else str(key)] = _plain(item, arrays, depth + 1, used)
        except WireError as error:
            raise error.inside("." + key[:80]) from None
    return done


def _reference(value: Any, arrays: list[Any], used: list[int]) -> dict[str, Any]:
    name = value.dtype.newbyteorder("<").str
    if name not in SIZES:
        raise WireError(f"{HELP}; got an array of {str(value.dtype)[:80]} (bool, int, float and complex may cross)")
    if value.ndim > RANK:
        raise WireError(f"{HELP}; got an array with {value.ndim} axes, at most {RANK} may cross")
    np = sys.modules["numpy"]
    array = np.asarray(value, dtype=name, order="C").view(np.ndarray)
    offset = used[0]
    arrays.append(array)
    used[0] += array.nbytes
    return {"$array": [name, list(array.shape), offset]}


class _Reader:
    """Turns parsed JSON into a value, taking arrays from the raw bytes in turn."""

    def __init__(self, raw: memoryview) -> None:
        self.raw = raw
        self.used = 0

    def value(self, tree: Any, depth: int) -> Any:
        kind = type(tree)
        if kind in _FLAT:
            return tree
        if kind is str:
            return _text(tree)
        if depth > DEPTH:
            raise WireError(f"nested deeper than {DEPTH}")
        if kind is list:
            if _FLAT.issuperset(map(type, tree)):
                return tree
            return [self.value(item, depth + 1) for item in tree]
        if "$array" in tree:
            if len(tree) != 1:
                raise WireError("an array reference has other keys beside it")
            return self.array(tree["$array"])
        return {_key(key): self.value(item, depth + 1) for key, item in tree.items()}

    def array(self, reference: Any) -> Any:
        """A writable array of its own memory."""
        if type(reference) is not list or len(reference) != 3:
            raise WireError("an array reference is [dtype, shape, offset]")
        name, shape, offset = reference
        if type(name) is not str or name not in SIZES:
            raise WireError(f"no such dtype: {str(name)[:80]!r}")
        if type(shape) is not list or len(shape) > RANK or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
            raise WireError(f"a shape is a list of at most {RANK} lengths")
        size = math.prod(shape) * SIZES[name]
        if type(offset) is not int or offset != self.used:
            raise WireError(f"the next array starts at byte {self.used}")
        if size > len(self.raw) - self.used:
            raise WireError(f"an array of {size} bytes where {len(self.raw) - self.used} are left")
        np = _numpy()
        part = self.raw[self.used : self.used + size]
        self.used += size
        if name == "|b1" and size and int(np.frombuffer(part, "u1").max()) > 1:
            raise WireError("an array of bool has a byte that is neither 0 nor 1")
        try:
            array = np.empty(shape, name)
        except ValueError as error:
            raise WireError(f"no such shape: {error}") from None
        if size:
            array.reshape(-1)[:] = np.frombuffer(part, name)
        return array


def _numpy() -> Any:
    try:
        return importlib.import_module("numpy")
    except ImportError:
        raise WireError("arrays need numpy, which this box does not have") from None


def _text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise WireError("a string with half a surrogate pair") from None
    return text


def _key(key: str) -> str:
    if key.startswith("$$"):
        key = key[1:]
    elif key.startswith("$"):
        raise WireError(f"no such reference: {_text(key)[:80]!r}")
    return _text(key)
