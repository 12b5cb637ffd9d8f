from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.migrations import MIGRATIONS, migrate, version
from archive.tables import VERSION
from tests.archive.helpers import seeded


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "run.db"
    seeded(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 1")
        yield connection


def first(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE first (a)")


def second(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO first VALUES (2)")


def broken(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE third (a)")
    connection.execute("SELECT * FROM nowhere")


def number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_there_is_a_step_for_each_version() -> None:
    assert len(MIGRATIONS) == VERSION - 1


def test_steps_are_taken_once_and_in_order(connection: sqlite3.Connection) -> None:
    assert migrate(connection, (first, second)) == 2
    assert number(connection) == 3
    assert connection.execute("SELECT a FROM first").fetchall() == [(2,)]


def test_a_step_that_fails_leaves_the_file_before_it(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, (first, broken))
    assert number(connection) == 2
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'third'").fetchone() == (0,)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("DROP TABLE first")
    assert migrate(connection, (first, second)) == 2


def test_a_current_file_needs_no_step(connection: sqlite3.Connection) -> None:
    assert version(connection) == VERSION
    assert migrate(connection, ()) == 0
