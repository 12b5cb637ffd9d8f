"""Frames between us and the harness: a byte that says what it is, the length of the rest, the rest.

To the harness:   START (JSON: the limits of a program), CALL (bytes for the program, passed on unseen: its files first),
                  USAGE (what has the running program used?), END (kill whatever runs).
From the harness: READY (JSON: may the next program come?), DATA (bytes that the program wrote as its replies),
                  OUTPUT (bytes that it printed), USED (JSON), EXIT (JSON: how it ended and what it used).
"""

from __future__ import annotations

import struct

START, CALL, USAGE, END = b"S", b"C", b"U", b"E"
READY, DATA, OUTPUT, USED, EXIT = b"R", b"D", b"O", b"u", b"X"

HEAD = struct.Struct("<cI")
LENGTH = struct.Struct("<I")
"""Before a program's files, which are JSON."""
CHUNK = 1 << 18
"""Longer payloads are cut into frames of this size: no frame is longer."""


def head(kind: bytes, length: int) -> bytes:
    return HEAD.pack(kind, length)


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    return head(kind, len(payload)) + payload


def chunks(kind: bytes, payload: bytes) -> bytes:
    """The payload as frames of at most `CHUNK` bytes."""
    return b"".join(frame(kind, payload[at : at + CHUNK]) for at in range(0, len(payload), CHUNK))


def take(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Removes the first whole frame from the buffer; None while it is not there.

    Raises:
        ValueError: the frame says that it is longer than any may be.
    """
    if missing(buffer) > 0:
        return None
    kind, length = HEAD.unpack_from(buffer)
    end = HEAD.size + length
    payload = bytes(buffer[HEAD.size : end])
    del buffer[:end]
    return kind, payload


def missing(buffer: bytearray) -> int:
    """Bytes without which the first frame is not whole: those of its head, while that is not whole; negative where there are more.

    Raises:
        ValueError: the frame says that it is longer than any may be.
    """
    if len(buffer) < HEAD.size:
        return HEAD.size - len(buffer)
    length: int = HEAD.unpack_from(buffer)[1]
    if length > CHUNK:
        raise ValueError(f"a frame has at most {CHUNK} bytes; this one says it has {length}")
    return HEAD.size + length - len(buffer)
