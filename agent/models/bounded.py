"""Bounds on what a server may send: bytes and total seconds, for successes and errors alike.

An HTTP client's own timeout counts from byte to byte: a server that sends one byte now and then would hold a thread
for ever. (The status line and headers are bounded by the client alone: in size, and in the silence between bytes.)
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Timer
from typing import Any, cast

import httpx

DEADLINE = "elites_deadline"
"""The request's extension that holds the monotonic time at which its answer must be complete."""

ENCODED = 64
"""By how much less is read of a compressed body, since it grows when it is unpacked."""


class TooLargeError(Exception):
    """The answer has more bytes than we read."""


class TooSlowError(Exception):
    """The answer was not complete when its time was up."""


Hooks = dict[str, list[Callable[..., Any]]]


def hooks(seconds: float, size: int) -> Hooks:
    """Event hooks for an `httpx.Client`: an answer ends `seconds` after its request, within `size` bytes."""

    def start(request: httpx.Request) -> None:
        request.extensions[DEADLINE] = time.monotonic() + seconds

    def bound(response: httpx.Response) -> None:
        encoded = response.headers.get("content-encoding", "identity") != "identity"
        stream = cast(httpx.SyncByteStream, response.stream)
        connection = response.extensions.get("network_stream")
        response.stream = _Bounded(
            stream, connection, response.request.extensions[DEADLINE], size // ENCODED if encoded else size
        )

    return {"request": [start], "response": [bound]}


@dataclass
class _Bounded(httpx.SyncByteStream):
    """A body that ends with an error at its deadline or beyond its size."""

    body: httpx.SyncByteStream
    connection: Any
    deadline: float
    size: int

    def __iter__(self) -> Iterator[bytes]:
        alarm = Timer(max(0.0, self.deadline - time.monotonic()), self._cut)
        alarm.daemon = True
        alarm.start()
        read = 0
        try:
            for chunk in self.body:
                read += len(chunk)
                if read > self.size:
                    raise TooLargeError(f"more than {self.size:,} bytes")
                self._check()
                yield chunk
            self._check()  # a body without a length ends quietly when its connection is cut
        except httpx.TransportError as error:
            if time.monotonic() >= self.deadline:
                raise TooSlowError from error
            raise
        finally:
            alarm.cancel()
            alarm.join()

    def _check(self) -> None:
        if time.monotonic() > self.deadline:
            raise TooSlowError

    def _cut(self) -> None:
        """Wake a read that blocks; it ends as if the server had hung up."""
        raw = self.connection.get_extra_info("socket") if self.connection else None
        if raw is not None:
            try:
                socket.socket.shutdown(raw, socket.SHUT_RDWR)  # not SSLSocket's, which unwraps under a reader
            except OSError:
                return  # the connection has ended by itself

    def close(self) -> None:
        self.body.close()
