from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.store import Archive
from archive.tables import METADATA, keys
from archive.types import Call, Settled
from tests.archive.helpers import scored, seeded, step


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A file with a row in every table."""
    path = tmp_path / "run.db"
    archive = seeded(path)
    step(archive, 1, scored(2.0))
    archive.reserve(Call(1, 0, "propose", "m", "[]", 0.5), None)
    archive.settle(1, 0, Settled("reply", 1, 2, 0.1, 0.2))
    archive.verify(1, 2.0, "", scored(2.0))
    archive.invocation({"steps": 3})
    archive.note("try larger steps", 1)
    for number in (0, 1):
        archive.record(number, scored_under("f" * 64))
    archive.switch("f" * 64)
    archive.close()
    return path


def scored_under(digest: str):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(scored(1.5), digest=digest)


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_rows_are_only_ever_added(full: Path, table: str) -> None:
    columns = [column.name for column in METADATA.tables[table].columns]
    with closing(sqlite3.connect(full)) as connection:
        before = connection.execute(f"SELECT * FROM {table}").fetchall()
        assert before
        marks = ", ".join("?" * len(columns))
        for refused in (
            f"UPDATE {table} SET {columns[-1]} = {columns[-1]}",
            f"UPDATE OR REPLACE {table} SET rowid = 99",
            f"DELETE FROM {table}",
            f"INSERT OR REPLACE INTO {table} VALUES ({marks})",
            f"REPLACE INTO {table} VALUES ({marks})",
            f"INSERT OR IGNORE INTO {table} VALUES ({marks})",
            f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET {columns[-1]} = 0",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                connection.execute(refused, before[0] if "?" in refused else ())
        assert connection.execute(f"SELECT * FROM {table}").fetchall() == before


def test_replacing_by_another_key_is_refused_too(full: Path) -> None:
    with closing(sqlite3.connect(full)) as connection:
        for table in METADATA.tables.values():
            for key in keys(table):
                names = [c.name for c in table.columns]
                row = dict(zip(names, connection.execute(f"SELECT * FROM {table.name}").fetchone(), strict=True))
                if "id" in row and key != ("id",):
                    row["id"] = None
                with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
                    connection.execute(
                        f"REPLACE INTO {table.name} VALUES ({', '.join(':' + name for name in names)})", row
                    )


def test_a_value_exists_exactly_when_scored(full: Path) -> None:
    with closing(sqlite3.connect(full)) as connection:
        names = [c.name for c in METADATA.tables["evaluations"].columns]
        row = dict(zip(names, connection.execute("SELECT * FROM evaluations").fetchone(), strict=True))
        for change in ({"outcome": "crash"}, {"value": None}, {"value": float("nan")}):
            wrong = {**row, "id": None, "attempt": 7, **change}
            with pytest.raises(sqlite3.IntegrityError, match="value_iff_scored"):
                connection.execute(f"INSERT INTO evaluations VALUES ({', '.join(':' + n for n in names)})", wrong)


def test_a_stranger_cannot_smuggle_other_types_in(full: Path) -> None:
    with closing(sqlite3.connect(full)) as connection, pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        connection.execute("INSERT INTO steps VALUES (5, 'x', '[]', 0, '', 0, 0.0)")


def test_a_clean_end_leaves_one_file(full: Path) -> None:
    assert [path.name for path in full.parent.iterdir()] == ["run.db"]
    with closing(Archive.open(full)) as archive:
        assert archive.digest == "f" * 64
    assert [path.name for path in full.parent.iterdir()] == ["run.db"]
