"""Whole runs through the command line, with real containers and real workers."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from archive.store import Archive
from benchmarks.kill_resume import ELITES, command, containers, count, invariants, killed_at


def elites(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ELITES), *map(str, words)], capture_output=True, text=True, check=False, timeout=200)


@pytest.mark.docker
def test_a_run_in_containers_improves_on_its_seed_and_is_verified(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    ended = elites(
        "run", "circle_packing", "n=5", "--file", file, "--steps", 30, "--engine", "local", "--sandbox", "docker"
    )
    assert ended.returncode == 0, ended.stderr
    best = json.loads(elites("best", file, "--json").stdout)
    assert (best["problem"], best["outcome"], best["verified"], best["sandbox"]) == (
        "circle_packing",
        "scored",
        True,
        "docker",
    )
    with closing(Archive.open(file)) as archive:
        assert best["value"] >= archive.entry(0).value
        assert archive.verified(best["step"]) is not None
    assert elites("check-run", file).returncode == 0
    assert containers("docker", file) == 0


@pytest.mark.docker
def test_hidden_instances_are_scored_in_containers(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    ended = elites("run", "bin_packing", "--file", file, "--steps", 6, "--engine", "local", "--sandbox", "docker")
    assert ended.returncode == 0, ended.stderr
    best = json.loads(elites("best", file, "--json").stdout)
    assert (best["outcome"], best["verified"]) == ("scored", True)


@pytest.mark.slow
@pytest.mark.docker
def test_a_killed_run_leaves_nothing_behind_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    run = command(file, 40, "docker", "ray")
    for step in (5, 20):
        left = killed_at(file, step, run, "docker")
        assert (left["processes"], left["containers"]) == (0, 0)
        assert step <= left["at"] < 40
    committed = count(file, "candidates")
    ended = subprocess.run(run, capture_output=True, text=True, check=False, timeout=200)
    assert ended.returncode == 0, ended.stderr
    assert count(file, "candidates") >= committed
    assert invariants(file, 40) == {
        "every_step_once": True, "most_candidates_of_a_step": 1, "integrity_check": "ok", "check_run_exit": 0,
    }  # fmt: skip
