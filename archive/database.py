"""Connections to an archive file, and every failure of SQLite as one clear text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from archive.types import ArchiveError

WAIT = 10.0
"""Seconds to wait for another program's lock."""

MEANINGS = {
    sqlite3.SQLITE_FULL: "the disk is full: make room, then run again; what was committed is safe",
    sqlite3.SQLITE_READONLY: "it cannot be written: the file, its folder or the medium is read-only",
    sqlite3.SQLITE_BUSY: f"another program kept it locked for {WAIT:g} s: end that, then run again",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked: end that, then run again",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: go on from a copy (`PRAGMA integrity_check` says where)",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite file, so it is no archive",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: look at its folder and its permissions",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write it: see to the disk, then run again",
    sqlite3.SQLITE_TOOBIG: "a row is larger than SQLite can hold",
    sqlite3.SQLITE_CONSTRAINT: "the row does not fit the others, or is there already",
    sqlite3.SQLITE_PERM: "its permissions do not allow this",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Failures of SQLite inside become ArchiveError with a text that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise ArchiveError(meaning(path, error.orig)) from error
    except sqlite3.Error as error:
        raise ArchiveError(meaning(path, error)) from error


def meaning(path: Path, error: BaseException | None) -> str:
    """What a failure means for the file."""
    code = getattr(error, "sqlite_errorcode", None)
    known = MEANINGS.get(code & 0xFF) if isinstance(code, int) else None
    return f"{path}: {known} ({error})" if known else f"{path}: {error}"


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection that leaves transactions to the caller.

    Args:
        mode: `ro`, `rw` or `rwc`, or `immutable` for a file on a read-only medium.
    """
    query = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}", timeout=WAIT, uri=True, check_same_thread=False, isolation_level=None
    )
    for pragma in ("foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def readable(path: Path) -> str:
    """The mode in which a file can be read. Raises sqlite3.Error where in none."""
    try:
        _look(path, "ro")
    except sqlite3.OperationalError as error:
        wal = path.with_name(path.name + "-wal")
        settled = not wal.exists() or wal.stat().st_size == 0
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or not settled:
            raise
        _look(path, "immutable")
        return "immutable"
    return "ro"


def _look(path: Path, mode: str) -> None:
    connection = connect(path, mode)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.close()


def reader(path: Path) -> Engine:
    """Connections that cannot write, for any number of threads. Raises sqlite3.Error."""
    mode = readable(path)
    return create_engine(
        "sqlite://", creator=lambda: connect(path, mode), poolclass=QueuePool, pool_size=16, max_overflow=-1
    )


def writer(path: Path) -> Connection:
    """The one connection that writes, in WAL mode. Raises sqlite3.Error or DBAPIError where it cannot."""
    engine = create_engine("sqlite://", creator=lambda: connect(path, "rw"), poolclass=QueuePool, pool_size=1)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    connection = engine.connect()
    execute(connection, "PRAGMA journal_mode = WAL")
    execute(connection, "PRAGMA synchronous = NORMAL")
    with connection.begin():
        pass  # a file that cannot be written says so now
    return connection


def execute(connection: Connection, statement: str) -> None:
    """Run a statement outside any transaction."""
    raw = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    raw.execute(statement).fetchall()


def settle(connection: Connection) -> None:
    """Leave one file, if nobody else looks at it now: checkpoint, and go back to a journal that leaves nothing."""
    try:
        execute(connection, "PRAGMA busy_timeout = 200")
        execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
        execute(connection, "PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        return  # a reader is looking: what is committed stays in the files beside, which the next writer clears away
    finally:
        connection.close()
        connection.engine.dispose()
