"""Faults with no candidate to blame: one clear message, a non-zero exit, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.models.server import Server
from archive.store import Archive

ELITES = Path(sys.executable).parent / "elites"
PROBLEM = '''"""Return a number between 0 and 1."""
from evaluators.parsing import floats
from evaluators.types import Score
from problems.types import Problem, beside

def score(program, rng):
    return Score(float(floats(program.call("f"))))

PROBLEM = Problem("number", __doc__, beside(__file__, "seed.py"), score)
'''


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "number"
    folder.mkdir()
    (folder / "problem.py").write_text(PROBLEM)
    (folder / "seed.py").write_text("def f():\n    return 0.5\n")
    return folder


def elites(*words: object, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [str(ELITES), *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd, env={**os.environ, **environ}
    )


def refused(ended: subprocess.CompletedProcess[str], *says: str) -> None:
    """It failed, with one message that says so, and no traceback."""
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    for text in says:
        assert text in ended.stderr


LOCAL = ("--engine", "local", "--sandbox", "process", "--evaluations", "1", "--file", "run.db")


def steps_of(file: Path) -> int:
    with closing(Archive.open(file)) as archive:
        return archive.view.outcomes.total()


def test_no_docker_daemon_where_docker_was_asked(task: Path, tmp_path: Path) -> None:
    words = ("run", task, "--steps", 3, "--engine", "local", "--sandbox", "docker", "--file", "run.db")
    refused(
        elites(*words, cwd=tmp_path, DOCKER_HOST="unix:///nowhere.sock"),
        "no Docker daemon answers",
        "systemctl start docker",
    )
    ended = elites("run", task, "--steps", 3, *LOCAL, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert steps_of(tmp_path / "run.db") == 4


def test_without_a_daemon_processes_are_taken_aloud(task: Path, tmp_path: Path) -> None:
    words = ("run", task, "--steps", 2, "--engine", "local", "--file", "run.db")
    ended = elites(*words, cwd=tmp_path, DOCKER_HOST="unix:///nowhere.sock")
    assert ended.returncode == 0, ended.stderr
    assert "attacks are not" in ended.stdout + ended.stderr
    with closing(Archive.open(tmp_path / "run.db")) as archive:
        assert {archive.entry(step).evaluation.sandbox for step in range(1)} == {"process"}


def test_hidden_inputs_refuse_a_sandbox_that_nobody_chose(tmp_path: Path) -> None:
    words = ("run", "bin_packing", "--steps", 1, "--engine", "local")
    refused(
        elites(*words, cwd=tmp_path, DOCKER_HOST="unix:///nowhere.sock"),
        "bin_packing hides its inputs",
        "--sandbox process",
    )


def test_an_unreachable_address(task: Path, tmp_path: Path) -> None:
    words = (
        "run",
        task,
        "--steps",
        3,
        *LOCAL,
        "--model",
        "m",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--settings",
        "quick.toml",
    )
    (tmp_path / "quick.toml").write_text("[patience]\nattempts = 2\nfirst = 0.05\n")
    ended = elites(*words, cwd=tmp_path, OPENAI_API_KEY="k")
    refused(ended, "127.0.0.1:9", "does a server listen there? Go on later: nothing is lost", "\nstep 0/3  best 0.5")
    assert ended.stderr.splitlines()[-1].startswith("elites: "), "what happened comes last"
    assert steps_of(tmp_path / "run.db") == 1, "the seed stays, no step is counted"


@pytest.mark.slow
def test_a_wrong_key_then_the_right_one(task: Path, tmp_path: Path) -> None:
    def answer(messages: object) -> str:
        answer.count += 1  # type: ignore[attr-defined]
        return f"```python\ndef f():\n    return 0.{answer.count}\n```"  # type: ignore[attr-defined]

    answer.count = 0  # type: ignore[attr-defined]
    with Server(answer, key="right") as server:
        words = ("run", task, "--steps", 3, *LOCAL, "--model", "m", "--base-url", server.url, "--proposer", "rewrite")
        refused(elites(*words, cwd=tmp_path, OPENAI_API_KEY="wrong"), "OPENAI_API_KEY", "refused")
        ended = elites(*words, cwd=tmp_path, OPENAI_API_KEY="right")
    assert ended.returncode == 0, ended.stderr
    assert steps_of(tmp_path / "run.db") == 4


def test_a_problem_that_does_not_score_its_seed(task: Path, tmp_path: Path) -> None:
    (task / "seed.py").write_text("def f():\n    return 'high'\n")
    refused(elites("run", task, "--steps", 3, *LOCAL, cwd=tmp_path), "does not score its own seed program", "invalid")
    (task / "seed.py").write_text("def f():\n    return 0.25\n")
    assert elites("run", task, "--steps", 3, *LOCAL, cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_a_file_that_somebody_else_writes(task: Path, tmp_path: Path) -> None:
    assert elites("run", task, "--steps", 1, *LOCAL, cwd=tmp_path).returncode == 0
    with closing(Archive.open(tmp_path / "run.db", write=True)):
        refused(elites("run", task, "--steps", 3, *LOCAL, cwd=tmp_path), str(os.getpid()))
        assert elites("best", "run.db", "--json", cwd=tmp_path).returncode == 0
    assert elites("run", task, "--steps", 3, *LOCAL, cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_what_is_fixed_for_a_file(task: Path, tmp_path: Path) -> None:
    assert elites("run", task, "--steps", 1, *LOCAL, "--seed", 4, cwd=tmp_path).returncode == 0
    refused(elites("run", task, "--steps", 3, *LOCAL, "--seed", 5, cwd=tmp_path), "its seed is 4, and 5 was asked for")
    (task / "problem.py").write_text(PROBLEM.replace("float(", "2 * float("))
    refused(elites("run", task, "--steps", 3, *LOCAL, cwd=tmp_path), "elites rescore run.db")
    rescored = elites("rescore", "run.db", "--problem", task, "--engine", "local", "--sandbox", "process", cwd=tmp_path)
    assert rescored.returncode == 0, rescored.stderr
    assert elites("run", task, "--steps", 3, *LOCAL, cwd=tmp_path).returncode == 0
    with closing(Archive.open(tmp_path / "run.db")) as archive:
        assert archive.entry(0).value == 1.0
    assert elites("check-run", "run.db", cwd=tmp_path).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk(task: Path, tmp_path: Path, small_disk: Path) -> None:
    file = small_disk / "run.db"
    words = ("run", task, "--steps", 2000, *LOCAL[:-1], file)
    refused(elites(*words, cwd=tmp_path), "full")
    done = steps_of(file)
    assert done > 5
    moved = tmp_path / "moved.db"
    assert elites("copy", file, moved, cwd=tmp_path).returncode == 0
    assert elites("run", task, "--steps", done + 2, *LOCAL[:-1], moved, cwd=tmp_path).returncode == 0
    assert elites("check-run", moved, cwd=tmp_path).returncode == 0


def test_a_read_only_file(task: Path, tmp_path: Path, small_disk: Path) -> None:
    assert elites("run", task, "--steps", 1, *LOCAL[:-1], small_disk / "run.db", cwd=tmp_path).returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused(
        elites("run", task, "--steps", 3, *LOCAL[:-1], small_disk / "run.db", cwd=tmp_path), "Read-only file system"
    )
    assert elites("best", small_disk / "run.db", cwd=tmp_path).returncode == 0
