"""Older files become current ones by numbered steps: the first makes version 2 of version 1, and so on.

The number is `PRAGMA user_version`. A step and its number are committed together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeAlias

from archive.tables import APPLICATION, VERSION, schema
from archive.types import ArchiveError

Migration: TypeAlias = Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[Migration, ...] = ()
"""One for each version after the first."""


def made(connection: sqlite3.Connection, fixed: str, at: float) -> None:
    """Make the tables in an empty file, with the one row of `run`: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in schema():
        connection.execute(statement)
    connection.execute("INSERT INTO run (id, fixed, at) VALUES (1, ?, ?)", (fixed, at))
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def version(connection: sqlite3.Connection) -> int:
    """The schema version of a file.

    Raises:
        ArchiveError: it is not a file of ours, or a newer elites made it.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION or number < 1:
        raise ArchiveError(f"{_name(connection)} is an SQLite file, but not one that elites made")
    if number > VERSION:
        raise ArchiveError(
            f"{_name(connection)} has schema {number}, this elites knows schemas up to {VERSION}: use a newer elites"
        )
    return int(number)


def _name(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring a file up to date; how many steps that took. A step that fails leaves the file as it was before it.

    Raises:
        ArchiveError: as `version`.
        sqlite3.Error: a step failed.
    """
    first = version(connection)
    for number, step in enumerate(migrations[first - 1 :], first + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    return max(len(migrations) - first + 1, 0)
