from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archive.check import check_run
from archive.samplers import Fitness, Greedy, Uniform
from archive.store import Archive
from archive.tables import METADATA, triggers
from archive.types import ArchiveError, Call, Settled
from tests.archive.helpers import drawn, failed, scored, seeded, state, step

LAST = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A run with a retry, a quarantine and a re-score in its midst."""
    with closing(seeded(tmp_path / "run.db")) as archive:
        for number in range(1, LAST + 1):
            step(archive, number, replace(drawn(number), digest=""), Fitness())
            if number == 20:
                best = archive.view.best()
                assert best is not None
                archive.verify(best.step, None, "not reached again", failed())
            if number == 40:
                for done in list(archive.unscored("e" * 64)):
                    archive.record(done, replace(scored(1.0) if done == 0 else drawn(done + 100), digest="e" * 64))
                archive.switch("e" * 64)
            if number == 50:
                for again in list(archive.unfinished(number, retry="scorer")):
                    archive.record(again, replace(scored(4.5), digest=""))
        archive.reserve(Call(1, 0, "propose", "m", "[]", 0.1), None)
        archive.settle(1, 0, Settled("reply"))
    return tmp_path / "run.db"


def test_a_sound_run_has_no_findings(path: Path) -> None:
    with closing(Archive.open(path)) as archive:
        report = check_run(archive, Fitness())
        assert report.findings == ()
        assert (report.steps, report.selections, report.sound) == (LAST + 1, LAST, True)


def test_another_sampler_did_not_make_it(path: Path) -> None:
    with closing(Archive.open(path)) as archive:
        assert {finding.kind for finding in check_run(archive, Greedy()).findings} == {"selection"}


def test_what_is_missing_and_what_is_too_much_is_told(path: Path) -> None:
    with closing(Archive.open(path)) as archive:
        unfinished = check_run(archive, Fitness(), LAST + 2).findings
        assert "step 61 is not finished" in [finding.text for finding in unfinished]
        beyond = check_run(archive, Fitness(), LAST - 1).findings
        assert any("beyond the last step" in finding.text for finding in beyond)


def changed(path: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change rows with the triggers out of the way, and put these back."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        change(connection)
        for table in METADATA.tables.values():
            for statement in triggers(table):
                connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("forgery", "kind"),
    [
        (
            "UPDATE steps SET parents = '[0]' WHERE step = (SELECT max(step) FROM steps WHERE parents > '[0]')",
            "selection",
        ),
        ("UPDATE steps SET island = 1 - island WHERE step = 17", "selection"),
        ("UPDATE steps SET saw = 1 WHERE step = 40", "selection"),
        ("UPDATE evaluations SET value = -1 WHERE step > 0 AND value > 4.2", "selection"),
        ('UPDATE evaluations SET measures = \'{"a": 0, "b": 0}\' WHERE value > 0', "selection"),
        ("UPDATE evaluations SET value = NULL WHERE id = (SELECT max(id) FROM evaluations WHERE value > 0)", "rows"),
        ("UPDATE evaluations SET attempt = 3 WHERE step = 58", "rows"),
        ("UPDATE steps SET saw = 99999 WHERE step = 59", "rows"),
        ("DELETE FROM evaluations WHERE step = 58", "rows"),
        ("DELETE FROM candidates WHERE step = 60", "rows"),
        ("DELETE FROM calls", "rows"),
        ("DELETE FROM steps WHERE step = 60", "integrity"),
        ("UPDATE blobs SET data = (SELECT data FROM blobs LIMIT 1)", "content"),
        ("UPDATE blobs SET size = size + 1", "content"),
    ],
)
def test_a_forged_row_is_found(path: Path, forgery: str, kind: str) -> None:
    changed(path, lambda connection: connection.execute(forgery))
    with closing(Archive.open(path)) as archive:
        report = check_run(archive, Fitness())
        assert not report.sound
        assert kind in {finding.kind for finding in report.findings}, report.findings


def test_a_row_that_cannot_be_refuses_the_file(path: Path) -> None:
    for measures, said in (("{}", r"row \d+, of step \d+: the measure 'a'"), ("[]", "JSON object"), ("{", "no JSON")):
        changed(path, lambda connection, to=measures: connection.execute("UPDATE evaluations SET measures = ?", (to,)))
        with pytest.raises(ArchiveError, match=said):
            Archive.open(path)


def test_a_trigger_that_is_gone_is_found(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER steps_no_update")
    with closing(Archive.open(path)) as archive:
        (finding,) = check_run(archive, Fitness()).findings
        assert (finding.kind, "steps_no_update" in finding.text) == ("schema", True)


def test_check_while_a_run_writes(path: Path) -> None:
    with closing(Archive.open(path, write=True)) as archive:
        step(archive, LAST + 1, replace(drawn(LAST + 1), digest=""), Fitness())
        with closing(Archive.open(path)) as reader:
            assert check_run(reader, Fitness(), LAST + 1).findings == ()


def test_the_oldest_file_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "v1.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("version1.sql").read_text("utf-8"))
    with closing(Archive.open(path, write=True)) as archive:
        assert archive.run.reference.name == "toy"
        assert [row.step for row in archive.rows()] == [3, 2, 1, 0]
        assert check_run(archive, Uniform(), 3).findings == ()
        assert archive.spent() == 0.25
        step(archive, 4, scored(9.0))
        warm = state(archive)
    with closing(Archive.open(path)) as archive:
        assert state(archive) == warm
        assert archive.entry(1).evaluation.artifact == {"x": [1, 2]}
        assert json.loads(archive.run.sampler) == {"use": "uniform"}
    fresh = tmp_path / "fresh.db"
    seeded(fresh).close()
    schemas = []
    for one in (path, fresh):
        with closing(sqlite3.connect(one)) as connection:
            schemas.append(sorted(connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall(), key=str))
    assert schemas[0] == schemas[1]
