"""A candidate in a box: starts at the first call, counts the time inside calls, ends with its context."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, get_args

from sandboxes import wire
from sandboxes.box import CALL_LIMIT, Box, reply_limit
from sandboxes.pool import Pool
from sandboxes.types import BoxLost, Data, FaultKind, Files, Needs, ProgramError, SandboxError, Usage

KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


class BoxedProgram:
    """A `Program` over a pool of boxes. Threads may share it; their calls take turns."""

    def __init__(self, pool: Pool, files: Files, needs: Needs, single: bool, start: Data) -> None:
        self._pool = pool
        self._files = files
        self._needs = needs
        self._single = single
        self._start = start
        self._lock = threading.RLock()
        self._box: Box | None = None
        self._fault: ProgramError | SandboxError | None = None
        self._usage = Usage()
        self._printed = ""

    @property
    def start(self) -> Data:
        return self._start

    @property
    def files(self) -> Files:
        return self._files

    def call(self, function: str, *args: Data, **kwargs: Data) -> Data:
        """Calls a function of `program.py`.

        Raises:
            ProgramError: it crashed, was too slow, too large, or returned no data. After any but an ordinary exception
                the program is dead, and every later call raises the same.
            WireError: the arguments are no data, or take more than 64 MiB.
            BoxLost: the box died for no fault of the program.
            SandboxUnavailable: no box can be started.
        """
        request = wire.encode([function, list(args), kwargs], CALL_LIMIT)
        with self._lock:
            if self._fault is not None:
                raise self._fault.with_traceback(None)
            box = self._started()
            began = time.monotonic()
            left = self._needs.seconds - self._usage.wall_seconds
            try:
                return self._answer(self._exchanged(box, request, began + left))
            finally:  # reading a reply counts: one that is small to send may be large to read
                self._usage = Usage(self._usage.wall_seconds + time.monotonic() - began)

    def _exchanged(self, box: Box, request: bytes, deadline: float) -> bytes:
        try:
            return box.exchange(request, self._needs, deadline)
        except (ProgramError, SandboxError) as fault:
            self._fault = fault
            box.finish()
            raise

    def _started(self) -> Box:
        if self._box is None:
            self._box = self._pool.take(self._needs, self._single)
            self._box.begin(self._files, self._needs)
        return self._box

    def _answer(self, message: bytes) -> Data:
        """The reply's value; whatever a program cannot have written through its harness is its fault."""
        try:
            reply: Any = wire.decode(message)
        except wire.WireError as error:
            raise ProgramError("invalid", f"the program's reply is no data: {error}") from None
        if isinstance(reply, dict) and reply.keys() == {"ok"} and len(message) <= reply_limit(self._needs):
            value: Data = reply["ok"]
            return value
        if isinstance(reply, dict) and reply.keys() == {"error", "text"}:
            text = reply["text"]
            for kind in KINDS:
                if reply["error"] == kind and isinstance(text, str):
                    raise ProgramError(kind, text[:4000])
        raise ProgramError("invalid", "the program's reply is not in the form that its harness writes")

    def fresh(self, files: Files | None = None, needs: Needs | None = None) -> AbstractContextManager[BoxedProgram]:
        """The same or another program in another process, at the same time as this one."""
        needs = self._needs if needs is None else needs
        files = self._files if files is None else files
        return running(BoxedProgram(self._pool, files, needs, self._single or needs.fresh, self._start))

    def usage(self) -> Usage:
        """Measured by the harness; while the program runs, without the children that it has not waited for."""
        with self._lock:
            if self._box is not None:
                with contextlib.suppress(SandboxError, TimeoutError):
                    cpu, peak = self._box.usage()
                    self._usage = Usage(self._usage.wall_seconds, cpu, peak)
            return self._usage

    def printed(self) -> str:
        with self._lock:
            return self._printed if self._box is None else self._box.printed()

    def end(self) -> None:
        """Kills the program and gives its box back."""
        with self._lock:
            if self._box is None:
                return
            box = self._box
            box.finish()
            self.usage()
            self._printed = box.printed()
            self._box = None
            self._fault = self._fault or BoxLost("the program has been ended; start it again")
            self._pool.give_back(box, self._needs, self._single)


@contextlib.contextmanager
def running(program: BoxedProgram) -> Iterator[BoxedProgram]:
    try:
        yield program
    finally:
        program.end()
