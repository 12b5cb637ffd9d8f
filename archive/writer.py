"""Group commit: many threads write, one commit carries all that wait.

A thread queues its write and asks for the lock. Who gets it leads: it commits everything queued in one transaction.
The others find theirs done. No thread is kept for this, and a lone writer commits at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from archive.database import execute, explained, settle
from archive.types import ArchiveError

T = TypeVar("T")


@dataclass
class Write:
    """What is to be written, and what came of it."""

    write: Callable[[Connection], object]
    folds: bool
    done: bool = False
    result: object = None
    error: ArchiveError | None = None


class Commits:
    """The one way into a file. `folded` is called after a commit with evaluation rows, before its writers return."""

    def __init__(self, path: Path, connection: Connection, folded: Callable[[], None]) -> None:
        self._path, self._connection, self._folded = path, connection, folded
        self._leading = threading.Lock()
        self._queueing = threading.Lock()
        self._queue: list[Write] = []

    def __call__(self, write: Callable[[Connection], T], *, folds: bool = False) -> T:
        """Commit what `write` executes, return what it returned. It is called again where a neighbour's write fails.

        Raises:
            ArchiveError: `write` raised it, or SQLite failed; nothing of this write is in the file then.
        """
        mine = Write(write, folds)
        with self._queueing:
            self._queue.append(mine)
        with self._leading:
            if not mine.done:
                self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return cast(T, mine.result)

    def _lead(self, mine: Write) -> None:
        with self._queueing:
            batch, self._queue = self._queue, []
        try:
            self._commit(batch)
        finally:  # where this thread was interrupted, the others' writes are for the next to lead
            left = [write for write in batch if not write.done and write is not mine]
            if left:
                with self._queueing:
                    self._queue[:0] = left

    def _commit(self, batch: Sequence[Write]) -> None:
        try:
            with explained(self._path), self._connection.begin():
                results = [write.write(self._connection) for write in batch]
        except ArchiveError as error:
            self._failed(batch, error)
            return
        for write, result in zip(batch, results, strict=True):
            write.result, write.done = result, True
        if any(write.folds for write in batch):
            self._folded()

    def _failed(self, batch: Sequence[Write], error: ArchiveError) -> None:
        """One write's own failure must not be its neighbours'; a failing disk is everybody's."""
        own = not isinstance(error.__cause__, DBAPIError) or isinstance(error.__cause__, IntegrityError)
        if own and len(batch) > 1:
            for write in batch:
                self._commit([write])
            return
        for write in batch:
            write.error, write.done = error, True

    def durable(self, on: bool) -> None:
        """Whether a commit outlives a loss of power (FULL), or only the death of the process (NORMAL)."""
        with self._leading, explained(self._path):
            execute(self._connection, f"PRAGMA synchronous = {'FULL' if on else 'NORMAL'}")

    def close(self) -> None:
        """Leave one file where nobody else looks at it."""
        with self._leading, explained(self._path):
            settle(self._connection)
