"""Runs a scorer under its own deadline: its clock stops while the program works."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Generic, TypeVar

from evaluators.types import Scoring
from sandboxes.types import Data, Files, Needs, Program, Usage

T = TypeVar("T")
LOOK = 0.2
"""Seconds between two looks at a scorer's memory."""
GRACE = 1.0
"""Seconds in which a scorer that was told to stop must do so."""


class ScorerStopped(BaseException):
    """Raised inside a scorer that passed its limit; not an Exception, so that its own handlers let it through."""


class ScorerFault(Exception):
    """The scorer passed its time or memory. `stuck`: it could not be stopped, and its thread still runs."""

    def __init__(self, text: str, *, stuck: bool) -> None:
        super().__init__(text)
        self.stuck = stuck


class Clocked:
    """A program that counts the time spent inside its calls."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._inside = 0.0
        self._since: float | None = None

    def seconds(self) -> float:
        """Seconds inside calls so far, the one under way included."""
        since = self._since
        return self._inside + (time.monotonic() - since if since is not None else 0.0)

    def call(self, function: str, *args: Data, **kwargs: Data) -> Data:
        self._since = time.monotonic()
        try:
            return self._program.call(function, *args, **kwargs)
        finally:
            self._inside += time.monotonic() - self._since
            self._since = None

    @property
    def start(self) -> Data:
        return self._program.start

    @property
    def files(self) -> Files:
        return self._program.files

    def fresh(self, files: Files | None = None, needs: Needs | None = None) -> AbstractContextManager[Program]:
        return self._program.fresh(files, needs)

    def usage(self) -> Usage:
        return self._program.usage()

    def printed(self) -> str:
        return self._program.printed()


class Attempt(Generic[T]):
    """A call in a thread of its own: `value`, or `error` with whatever it raised."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.value: T | None = None
        self.error: BaseException | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scorer", daemon=True)

    def _run(self) -> None:
        try:
            self.value = self._work()
        except BaseException as error:  # noqa: BLE001 - whatever a scorer raises is its own fault, never the run's
            self.error = error
        finally:
            self._done.set()

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        return self._done.wait(seconds)

    def stop(self) -> bool:
        """Raise ScorerStopped inside it; whether it then ended."""
        ident = ctypes.c_ulong(self._thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(ScorerStopped))
        return self.wait(GRACE)


def under_deadline(work: Callable[[], T], limits: Scoring, program_seconds: Callable[[], float]) -> Attempt[T]:
    """How `work` ended, with a ScorerFault as its error where it passed its own time or memory.

    Args:
        program_seconds: seconds spent inside the program so far, which do not count.
    """
    began, size = time.monotonic(), _resident_mb()
    attempt = Attempt(work)
    attempt.start()
    while True:
        left = limits.seconds - (time.monotonic() - began - program_seconds())
        if attempt.wait(min(max(left, 0.005), LOOK)):
            return attempt
        grown = _resident_mb() - size
        if left <= 0:
            why = f"the scorer took longer than its {limits.seconds:g} s"
        elif grown > limits.memory_mb:
            why = f"the scorer took {grown:.0f} MiB of memory; its limit is {limits.memory_mb} MiB"
        else:
            continue
        stopped = Attempt(work)
        stopped.error = ScorerFault(why, stuck=not attempt.stop())
        return stopped


def _resident_mb() -> float:
    """Resident size of this process in MiB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 2**20
