"""A run file of a stranger: going on with it, or reading it, runs nothing of it and ends."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.proposers.build import NAMES
from agent.strategies import SettingsError, kept
from archive.store import Archive
from archive.types import ArchiveError
from tests.console.files import run_file
from tests.run.test_faults import LOCAL, elites, refused


def changed(path: Path, **fixed: object) -> Path:
    """A run file with other words in what is fixed."""
    with closing(sqlite3.connect(run_file(path), isolation_level=None)) as file:
        file.execute("DROP TRIGGER run_no_update")
        was = json.loads(file.execute("SELECT fixed FROM run").fetchone()[0])
        file.execute("UPDATE run SET fixed = ?", (json.dumps(was | fixed),))
    return path


@pytest.mark.parametrize("setting", ["sampler", "proposer"])
def test_going_on_imports_nothing_that_only_the_file_names(tmp_path: Path, setting: str) -> None:
    started = elites("run", "circle_packing", "--steps", 1, *LOCAL, cwd=tmp_path)
    assert started.returncode == 0, started.stderr
    call = json.dumps({"use": "subprocess:getoutput", "cmd": f"touch {tmp_path}/owned"})
    with closing(sqlite3.connect(tmp_path / "run.db", isolation_level=None)) as file:
        file.execute("DROP TRIGGER run_no_update")
        was = json.loads(file.execute("SELECT fixed FROM run").fetchone()[0])
        file.execute("UPDATE run SET fixed = ?", (json.dumps(was | {setting: call}),))
    refused(
        elites("run", "circle_packing", "--steps", 3, *LOCAL, cwd=tmp_path),
        "not trusted to have code run",
        f"--{setting}",
    )
    assert not (tmp_path / "owned").exists()


def test_weights_name_no_code_either() -> None:
    text = json.dumps({"use": "roulette", "weights": {"os:abort": 1}})
    with pytest.raises(SettingsError, match="os:abort"):
        kept(text, NAMES, "proposer", None)
    assert kept(text, NAMES, "proposer", json.loads(text)) == json.loads(text)
    for junk in ("[1]", "{", '{"use": "roulette", "weights": 3}'):
        with pytest.raises(SettingsError):
            kept(junk, NAMES, "proposer", None)


AXIS = {"name": "a", "low": 0.0, "high": 1.0, "bins": 4}


@pytest.mark.parametrize(
    "fixed",
    [{"islands": 10**9}, {"islands": 0}, {"sense": "\x1b]0;x\x07"}]
    + [{"axes": [AXIS | change]} for change in ({"bins": 10**9}, {"bins": 0}, {"low": 1.0}, {"low": "x"})]
    + [{"axes": [{"nam": "x"}]}],
)
def test_what_would_make_reading_endless_is_refused(tmp_path: Path, fixed: dict[str, object]) -> None:
    with pytest.raises(ArchiveError, match="not sound"):
        Archive.open(changed(tmp_path / "run.db", **fixed))


def test_a_view_in_the_place_of_a_table_is_refused(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS step FROM c"
    with closing(sqlite3.connect(run_file(tmp_path / "run.db"), isolation_level=None)) as file:
        file.execute("ALTER TABLE steps RENAME TO other")
        file.execute(f"CREATE VIEW steps AS {endless}")
    with pytest.raises(ArchiveError, match="no plain table"):
        Archive.open(tmp_path / "run.db")


def test_measures_beyond_the_doubles_are_no_traceback(tmp_path: Path) -> None:
    with closing(sqlite3.connect(run_file(tmp_path / "run.db"), isolation_level=None)) as file:
        file.execute("DROP TRIGGER evaluations_no_update")
        file.execute("UPDATE evaluations SET measures = ?", ('{"evenness": %s, "walls": 1}' % ("9" * 4000),))
    with pytest.raises(ArchiveError, match="not sound"):
        Archive.open(tmp_path / "run.db")


def test_the_lock_follows_no_link(tmp_path: Path) -> None:
    run_file(tmp_path / "run.db")
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "run.db.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(ArchiveError, match="no lock can be made"):
        Archive.open(tmp_path / "run.db", write=True)
    assert (tmp_path / "victim").read_text() == "precious"
