"""Bytes that pass through the harness without being in its memory, of which every later program has a copy.

Linux moves them inside the kernel. Elsewhere they are read into one small buffer, which is cleared at once.
Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import sys
import termios
from collections import deque
from collections.abc import Callable

_BUFFER = memoryview(bytearray(1 << 16))


def spliced(source: int, target: int, count: int) -> int:
    """Moves at most so many bytes, 0 at the end of the source; one of the two is a pipe.

    Raises:
        BlockingIOError: the source has nothing for now, or the target takes nothing.
        BrokenPipeError: nobody reads the target any more.
    """
    return os.splice(source, target, count, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)


def copied(source: int, target: int, count: int) -> int:
    """As `spliced`, by way of the buffer; for a target that takes `PIPE_BUF` bytes at once."""
    part = _BUFFER[: min(count, select.PIPE_BUF)]
    try:
        size = os.readv(source, [part])
        rest = part[:size]
        while rest:
            try:
                rest = rest[os.write(target, rest) :]
            except BlockingIOError:
                select.select([], [target], [])
        return size
    finally:
        part[:] = bytes(len(part))


moved: Callable[[int, int, int], int] = spliced if hasattr(os, "splice") else copied


def dropped(source: int, count: int) -> int:
    """Takes at most so many bytes and keeps none of them; 0 at the end. Raises BlockingIOError."""
    part = _BUFFER[:count]
    try:
        return os.readv(source, [part])
    finally:
        part[:] = bytes(len(part))


def available(fd: int) -> int:
    """Bytes that can be read from a pipe or socket now."""
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)


class Outgoing:
    """What waits to be written to one file descriptor: bytes of ours, and bytes that are to be moved there from pipes."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._items: deque[bytes | tuple[int, int]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, data: bytes) -> None:
        last = self._items[-1] if self._items else None
        if isinstance(last, bytes):
            self._items[-1] = last + data
        else:
            self._items.append(data)

    def move(self, source: int, count: int) -> None:
        """Exactly so many bytes will be written; zeros where the source has fewer after all."""
        self._items.append((source, count))

    def owed(self, source: int) -> int:
        """Bytes still to come from a source."""
        return sum(item[1] for item in self._items if isinstance(item, tuple) and item[0] == source)

    def flush(self) -> None:
        """Writes as much as the target takes now. Raises BrokenPipeError."""
        with contextlib.suppress(BlockingIOError):
            while self._items:
                item = self._items[0]
                rest = item[os.write(self._target, item) :] if isinstance(item, bytes) else self._after(*item)
                if rest:
                    self._items[0] = rest
                else:
                    self._items.popleft()

    def _after(self, source: int, count: int) -> bytes | tuple[int, int] | None:
        """Moves what can be moved, and returns what is left to be written."""
        try:
            size = moved(source, self._target, count)
        except BlockingIOError:
            if available(source):
                raise
            size = 0
        except BrokenPipeError:
            raise
        except OSError:  # pages of a program's making that the kernel will not move
            size = 0
        if size == 0:
            return bytes(count)
        return (source, count - size) if size < count else None
