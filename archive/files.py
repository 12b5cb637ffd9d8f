"""The file itself: made complete or not at all, brought up to date, locked, copied."""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import ExitStack, closing
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, select

from archive.database import connect, explained, readable
from archive.lock import Lock, taken
from archive.migrations import made, migrate, version
from archive.tables import VERSION
from archive.tables import run as runs
from archive.types import ArchiveError, Run

RUN = TypeAdapter(Run)


def locked(path: Path, stack: ExitStack) -> Lock:
    """The lock of a file, released with the stack. Raises ArchiveError where another process holds it."""
    lock = taken(path.resolve())
    stack.callback(lock.release)
    return lock


def make(path: Path, run: Run) -> None:
    """Make a file under another name, then give it its own. Raises ArchiveError where there is one already."""
    if path.exists():
        raise ArchiveError(f"{path} exists already: open it, or take another name")
    part = path.with_name(path.name + ".part")
    with explained(path):
        for left in (part, part.with_name(part.name + "-journal")):
            left.unlink(missing_ok=True)  # of a process that died while it made one
        try:
            with closing(connect(part, "rwc")) as connection:
                made(connection, RUN.dump_json(run).decode(), time.time())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    _settled(path.parent)


def prepare(path: Path, write: bool) -> None:
    """See that a file is an archive that this elites can use; bring an older one up to date where it may be written.

    Raises:
        ArchiveError: it is not; it is older and may not be written; a newer elites made it.
    """
    with explained(path), closing(connect(path, "rw" if write else readable(path))) as connection:
        if write:
            migrate(connection)
        elif (number := version(connection)) < VERSION:
            raise ArchiveError(f"{path} has the older schema {number}: resume it once with this elites, then read it")


def fixed(connection: Connection) -> Run:
    """What is fixed for the file. Raises ArchiveError where it cannot be read."""
    try:
        return RUN.validate_json(connection.execute(select(runs.c.fixed)).scalar_one())
    except ValidationError as error:
        raise ArchiveError(f"what is fixed for the run cannot be read: {error}") from error


def copy(path: Path, to: Path) -> None:
    """Copy a file as it is at one moment, also while it is written. The copy is complete, or not there.

    Raises:
        ArchiveError: there is a file with that name already; it cannot be written; the disk is full.
    """
    part = to.with_name(to.name + ".part")
    try:
        to.touch(exist_ok=False)
    except OSError as error:
        raise ArchiveError(f"{to} cannot be made: {error.strerror}") from error
    whole = False
    try:
        with explained(to):
            part.unlink(missing_ok=True)
            _backup(path, part)
            os.replace(part, to)
            whole = True
    finally:
        if not whole:
            for left in (to, part):
                left.unlink(missing_ok=True)
    _settled(to.parent)


def _backup(path: Path, to: Path) -> None:
    with closing(connect(path, readable(path))) as source, closing(connect(to, "rwc")) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE").fetchall()


def _settled(folder: Path) -> None:
    """The folder's new name for a file outlives a loss of power, where the system can promise that."""
    with contextlib.suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
