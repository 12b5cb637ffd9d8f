from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from archive.check import check_run
from archive.samplers import Fitness, Uniform
from archive.store import Archive
from archive.types import ArchiveError
from tests.archive.helpers import RUN, drawn, scored, seeded, state, step

ROOT = Path(__file__).parents[2]
LAST = 120

WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from archive.samplers import Fitness
from archive.store import Archive
from tests.archive.helpers import drawn, step
archive = Archive.open(Path(sys.argv[1]), write=True)
def carry(number):
    known = archive.candidate(number)
    if known is None:
        step(archive, number, drawn(number), Fitness())
    else:
        archive.record(number, drawn(number))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    list(pool.map(carry, archive.unfinished(int(sys.argv[3]))))
archive.close()
"""


def writer(path: Path, threads: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(threads), str(LAST)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("threads", [1, 4])
def test_killed_at_any_moment_and_resumed(tmp_path: Path, threads: int) -> None:
    path, rng = tmp_path / "run.db", random.Random(threads)
    seeded(path).close()
    told: set[int] = set()
    for _ in range(4):
        process = writer(path, threads)
        assert process.stdout is not None
        for _ in range(rng.randrange(1, LAST // 4)):
            told.add(int(process.stdout.readline()))
        time.sleep(rng.random() / 200)
        process.send_signal(signal.SIGKILL)
        told |= {int(line) for line in process.stdout.read().splitlines()[:-1]}
        process.stdout.close()
        process.wait()
        with closing(Archive.open(path)) as archive:
            assert told.isdisjoint(archive.unfinished(LAST))
            assert check_run(archive, Fitness()).sound
    process = writer(path, threads)
    assert process.communicate(timeout=60)[0]
    assert process.returncode == 0
    with closing(Archive.open(path)) as archive:
        report = check_run(archive, Fitness(), LAST)
        assert report.findings == ()
        assert (report.steps, report.selections) == (LAST + 1, LAST)
        assert [len(archive.evaluations(number)) for number in range(LAST + 1)] == [1] * (LAST + 1)
        if threads == 1:
            with closing(seeded(tmp_path / "whole.db")) as whole:
                for number in range(1, LAST + 1):
                    step(whole, number, drawn(number), Fitness())
                assert state(archive) == state(whole)
                assert [archive.candidate(n) for n in range(LAST)] == [whole.candidate(n) for n in range(LAST)]
    assert sorted(one.name for one in tmp_path.iterdir() if "whole" not in one.name) == ["run.db"]


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with closing(seeded(path)), pytest.raises(ArchiveError, match=f"process {os.getpid()} on .* since 20"):
        Archive.open(path, write=True)
    with closing(Archive.open(path, write=True)), pytest.raises(ArchiveError, match="in use"):
        Archive.open(path, write=True)
    alias = tmp_path / "alias.db"
    alias.symlink_to(path)
    with closing(Archive.open(alias, write=True)), pytest.raises(ArchiveError, match="in use"):
        Archive.open(path, write=True)


def test_the_kernel_releases_the_lock_of_a_killed_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    seeded(path).close()
    process = writer(path, 1)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(ArchiveError, match=f"process {process.pid} "):
        Archive.open(path, write=True)
    process.kill()
    process.stdout.close()
    process.wait()
    assert path.with_name("run.db.lock").exists()
    Archive.open(path, write=True).close()
    assert not path.with_name("run.db.lock").exists()


def test_a_program_started_meanwhile_does_not_inherit_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    archive = seeded(path)
    child = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        archive.close()
        Archive.open(path, write=True).close()
    finally:
        child.kill()
        child.wait()


def test_a_file_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    path.with_name("run.db.part").write_text("of a process that died")
    seeded(path).close()
    with pytest.raises(ArchiveError, match="exists already"):
        Archive.create(path, RUN)
    assert [one.name for one in tmp_path.iterdir()] == ["run.db"]


def test_files_that_are_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with pytest.raises(ArchiveError, match="no file"):
        Archive.open(path)
    for write in (False, True):
        path.write_text("not a database, but long enough to look like one" * 50)
        with pytest.raises(ArchiveError, match="not an SQLite file"):
            Archive.open(path, write=write)
        path.unlink()
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE t (a)")
        with pytest.raises(ArchiveError, match="not one that elites made"):
            Archive.open(path, write=write)
    path.unlink()
    seeded(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(ArchiveError, match=r"schema 99.*use a newer elites"):
        Archive.open(path)
    with pytest.raises(ArchiveError, match="there is no folder"):
        Archive.create(tmp_path / "nowhere" / "run.db", RUN)
    assert [one.name for one in tmp_path.iterdir()] == ["run.db"]


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with closing(seeded(path)) as archive:
        for number in range(1, 60):
            step(archive, number, drawn(number))
    data = bytearray(path.read_bytes())
    for page in range(3, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="damaged"):
        Archive.open(path)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    archive = seeded(path)
    raw = archive._writing._connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    (pages,) = raw.execute("PRAGMA page_count").fetchone()
    raw.execute(f"PRAGMA max_page_count = {pages + 2}")
    full, number = "", 0
    while not full:
        before, number = state(archive), number + 1
        try:
            step(archive, number, scored(float(number)))
        except ArchiveError as error:
            full = str(error)
    assert "disk is full" in full
    assert state(archive) == before
    raw.execute("PRAGMA max_page_count = 1000000")
    step(archive, 500, scored(0.5))
    archive.close()
    with closing(Archive.open(path)) as archive:
        assert check_run(archive, Uniform()).findings == ()
        assert archive.view.outcomes["scored"] == number + 1  # the seed, those before, the last
        assert archive.entry(500).value == 0.5


def test_another_program_may_keep_the_file_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with closing(seeded(path)) as archive, closing(sqlite3.connect(path, isolation_level=None)) as other:
        raw = archive._writing._connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.execute("PRAGMA busy_timeout = 50")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ArchiveError, match="locked"):
            archive.note("x")
        other.execute("ROLLBACK")
        archive.note("y")
        assert [note.text for note in archive.notes()] == ["y"]


def test_read_only_places(tmp_path: Path) -> None:
    """A folder that this user may not write to; as root, another user's eyes are borrowed."""
    folder = Path("/tmp") / f"elites-readonly-{os.getpid()}"
    folder.mkdir()
    try:
        with closing(seeded(folder / "run.db")) as archive:
            expected = state(archive)
        with closing(sqlite3.connect(folder / "run.db")) as other:  # as another program may leave it
            assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        assert [one.name for one in folder.iterdir()] == ["run.db"]
        (folder / "run.db").chmod(0o444)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            with closing(Archive.open(folder / "run.db")) as archive:
                assert state(archive) == expected
            with pytest.raises(ArchiveError, match="cannot be written"):
                Archive.open(folder / "run.db", write=True)
            with pytest.raises(ArchiveError, match="cannot be"):
                Archive.create(folder / "new.db", RUN)
        finally:
            if root:
                os.seteuid(0)
    finally:
        folder.chmod(0o755)
        for one in folder.iterdir():
            one.unlink()
        folder.rmdir()
