"""Frames between us and the harness: a byte that says what it is, the length of the rest, the rest.

To the harness:   START (JSON: the files and limits of a program), CALL (bytes for the program, passed on unread),
                  USAGE (what has the running program used?), END (kill whatever runs).
From the harness: READY (JSON: may the next program come?), DATA (bytes that the program wrote as its replies),
                  OUTPUT (bytes that it printed), USED (JSON), EXIT (JSON: how it ended and what it used).
"""

from __future__ import annotations

import struct

START, CALL, USAGE, END = b"S", b"C", b"U", b"E"
READY, DATA, OUTPUT, USED, EXIT = b"R", b"D", b"O", b"u", b"X"

HEAD = struct.Struct("<cI")
CHUNK = 1 << 18
"""Longer payloads are cut into frames of this size."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    return HEAD.pack(kind, len(payload)) + payload


def chunks(kind: bytes, payload: bytes) -> bytes:
    """The payload as frames of at most `CHUNK` bytes."""
    return b"".join(frame(kind, payload[at : at + CHUNK]) for at in range(0, len(payload), CHUNK))


def take(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Removes the first whole frame from the buffer; None while it is not there."""
    if len(buffer) < HEAD.size:
        return None
    kind, length = HEAD.unpack_from(buffer)
    end = HEAD.size + length
    if len(buffer) < end:
        return None
    payload = bytes(buffer[HEAD.size : end])
    del buffer[:end]
    return kind, payload
