"""Killed at every commit boundary, a run goes on as if nothing had been."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from archive.check import check_run
from archive.samplers import Uniform
from archive.store import Archive
from tests.run.crashing import STEPS, run

ROWS = {
    "steps": "step, island, parents, saw",
    "candidates": "step, author, key",
    "settlements": "step",
    "evaluations": "step, outcome, value",
}


def in_a_child(file: Path, commits: int, workers: int, steps: int = STEPS) -> int:
    """Run in a process of its own; its exit code, negative for a signal."""
    command = [sys.executable, "-m", "tests.run.crashing", str(file), str(commits), str(workers), str(steps)]
    return subprocess.run(command, check=False, timeout=120).returncode


def forked(file: Path, commits: int, workers: int) -> int:
    """As `in_a_child`, by fork: this process has one thread, and a fork costs nothing."""
    child = os.fork()
    if child == 0:
        try:
            run(file, commits, workers)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def content(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        return {table: sorted(connection.execute(f"SELECT {columns} FROM {table}")) for table, columns in ROWS.items()}


def test_one_worker_ends_with_the_same_archive_wherever_it_is_killed(tmp_path: Path) -> None:
    whole = tmp_path / "whole.db"
    run(whole, 0, 1)
    wanted = content(whole)
    assert [step for step, *_ in wanted["evaluations"]] == list(range(STEPS + 1))
    commits = 2 + 5 * STEPS
    for kill_at in range(1, commits):
        file = tmp_path / f"{kill_at}.db"
        died = forked(file, kill_at, 1)
        assert died == -signal.SIGKILL, f"commit {kill_at} was never reached"
        run(file, 0, 1)
        assert content(file) == wanted, f"killed after commit {kill_at}"
        with sqlite3.connect(file) as connection:
            (calls,) = connection.execute("SELECT count(*) FROM calls").fetchone()
        assert calls == STEPS + (kill_at % 5 == 4), "only a call that was in flight is made again"


def test_many_workers_do_every_step_exactly_once_however_often_they_are_killed(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    kills = 0
    for commits in (3, 14, 21, 17):
        kills += in_a_child(file, commits, 4, 25) == -signal.SIGKILL
    assert kills >= 3
    assert in_a_child(file, 0, 4, 25) == 0
    rows = content(file)
    assert [step for step, *_ in rows["evaluations"]] == list(range(26))
    assert [step for step, *_ in rows["candidates"]] == list(range(26))
    archive = Archive.open(file)
    assert not check_run(archive, Uniform(inspirations=1)).findings
    archive.close()


@pytest.mark.parametrize("workers", [1, 4])
def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path, workers: int) -> None:
    file = tmp_path / "run.db"
    run(file, 0, workers)
    before = content(file)
    run(file, 0, workers)
    assert content(file) == before
