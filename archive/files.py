"""The file itself: made complete or not at all, brought up to date, locked, copied."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, select
from sqlalchemy.exc import NoResultFound

from archive.database import connect, explained, readable
from archive.lock import Lock, taken
from archive.migrations import made, migrate, version
from archive.tables import VERSION
from archive.tables import run as runs
from archive.types import ArchiveError, Run

RUN = TypeAdapter(Run)
UNREAL = "SELECT name FROM sqlite_master WHERE type = 'view' OR sql LIKE 'CREATE VIRTUAL%' LIMIT 1"
"""What can stand where a table is read, and compute without end."""
MOST = 10_000
"""Islands, and bins of an axis."""


def place(path: Path, what: str = "run file") -> None:
    """See that a file can stand at a path. Raises ArchiveError where a folder stands there, or there is no folder for it."""
    no_folder(path, what)
    folder = path.parent
    if folder.exists() and not folder.is_dir():
        raise ArchiveError(f"{path} cannot be made: {folder} is a file, and a folder was expected; take another name")
    if not folder.exists():
        raise ArchiveError(f"{path} cannot be made: there is no folder {folder}; make it (mkdir -p {folder}), or take another name")


def no_folder(path: Path, what: str) -> None:
    """Raises ArchiveError where a folder stands at a path."""
    if path.is_dir():
        raise ArchiveError(f"{path} is a folder, and a {what} was expected: name a file in it")


def there(path: Path) -> None:
    """See that a file is there to be opened. Raises ArchiveError."""
    no_folder(path, "run file")
    if not path.is_file():
        raise ArchiveError(f"there is no file {path}")


def locked(path: Path, stack: ExitStack) -> Lock:
    """The lock of a file, released with the stack. Raises ArchiveError where another process holds it, or no file can stand there."""
    place(path)
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
        if (found := connection.execute(UNREAL).fetchone()) is not None:
            name = found[0][:80]
            raise ArchiveError(f"{path} is no archive: {name!r} in it is no plain table, and reading it may never end")
        if write:
            migrate(connection)
        elif (number := version(connection)) < VERSION:
            raise ArchiveError(f"{path} has the older schema {number}: resume it once with this elites, then read it")


def fixed(connection: Connection) -> Run:
    """What is fixed for the file. Raises ArchiveError where it cannot be read."""
    try:
        run = RUN.validate_json(connection.execute(select(runs.c.fixed)).scalar_one())
    except (ValidationError, NoResultFound) as error:
        raise ArchiveError(f"what is fixed for the run cannot be read: {str(error)[:1000]}") from error
    for fault in _faults(run):
        raise ArchiveError(f"what is fixed for the run is not sound: {fault}")
    return run


def _faults(run: Run) -> Iterator[str]:
    """What no run has, and what would make reading the file endless: anybody may have written it."""
    if run.sense not in ("maximize", "minimize"):
        yield f"the sense is {run.sense[:80]!r}"
    if not (1 <= run.islands <= MOST and 0 <= run.migration < 2**62):
        yield f"it has {run.islands} islands with a visitor every {run.migration} steps; 1 … {MOST} islands are read"
    for axis in run.axes:
        try:
            low, high, bins = float(axis["low"]), float(axis["high"]), int(axis["bins"])
            good = "name" in axis and -1e300 < low < high < 1e300 and 1 <= bins <= MOST
        except (KeyError, ValueError, OverflowError):
            good = False
        if not good:
            yield f"an axis is {str(dict(axis))[:200]}; it has a name, finite numbers low < high, and 1 … {MOST} bins"


def copy(path: Path, to: Path) -> None:
    """Copy a file as it is at one moment, also while it is written. The copy is complete, or not there.

    Raises:
        ArchiveError: there is a file or folder with that name already; its folder is missing; it cannot be written; the disk is full.
    """
    place(to, "copy")
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
