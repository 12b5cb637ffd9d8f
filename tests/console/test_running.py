"""Commands that run something, with the `process` sandbox in this process; those with Docker are marked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.console.sources import default_file
from archive.store import Archive
from problems.loading import reference
from tests.console.conftest import Elites
from tests.console.files import run_file

ROOT = Path(__file__).parent.parent.parent
SMALL = ("--engine", "local", "--sandbox", "process")
MAIN = "from agent.console.app import main; main()"


@pytest.fixture
def points(elites: Elites, tmp_path: Path) -> Path:
    assert elites("new", tmp_path / "points").code == 0
    return tmp_path / "points"


def without_daemon(*words: object) -> subprocess.CompletedProcess[str]:
    """A command on a machine where no Docker daemon answers."""
    environ = {**os.environ, "DOCKER_HOST": "unix:///nobody/there.sock"}
    command = [sys.executable, "-c", MAIN, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ)


def test_a_run_begins_goes_on_and_is_verified(elites: Elites, points: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    first = elites("run", points, "n=5", "--steps", 4, "--file", file, *SMALL)
    assert first.code == 0
    assert "all steps are done: 4 steps" in first.out
    assert "processes of this machine" in first.err
    best = elites("best", file, "--json").json
    assert (best["problem"], best["parameters"], best["verified"]) == ("points", {"n": 5}, True)
    again = elites("run", points, "n=5", "--steps", 6, "--file", file, *SMALL)
    assert again.code == 0
    assert "4 done before" in again.err
    assert len(elites("ls", file, "--json").json["steps"]) == 7
    assert elites("check-run", file, "--json").json["ok"] is True
    assert not list(tmp_path.glob("run.db-*")), "a clean end leaves one file"


def test_what_is_fixed_is_refused_with_both_values(elites: Elites, points: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    elites("run", points, "--steps", 1, "--file", file, "--seed", 3, *SMALL)
    refused = elites("run", points, "--steps", 2, "--file", file, "--seed", 4, *SMALL)
    assert refused.code == 1
    assert "seed is 3" in refused.err
    assert "4 was asked for" in refused.err


def test_settings_and_options(elites: Elites, points: Path, tmp_path: Path) -> None:
    file, toml = tmp_path / "run.db", tmp_path / "run.toml"
    toml.write_text(f'sampler = {{use = "greedy"}}\n[run]\nsteps = 9\nislands = 2\nfile = "{file}"\nengine = "local"\n')
    ended = elites("run", points, "--settings", toml, "--steps", 2, "--sandbox", "process", "--sampler", "seed_only")
    assert ended.code == 0
    archive = Archive.open(file)
    assert (archive.run.sampler, archive.run.islands) == ('{"use":"seed_only"}', 2)
    assert archive.view.outcomes.total() == 3, "the option wins over the file"
    archive.close()


def test_rescore_after_a_change_to_the_scorer(elites: Elites, points: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    elites("run", points, "--steps", 2, "--file", file, *SMALL)
    before = elites("show", file, 0, "--json").json["value"]
    scorer = points / "problem.py"
    scorer.write_text(scorer.read_text().replace("Score(smallest,", "Score(2 * smallest,"))
    assert "elites rescore" in elites("run", points, "--steps", 2, "--file", file, *SMALL).err
    assert "--problem" in elites("rescore", file, *SMALL).err
    assert elites("rescore", file, "--problem", points, *SMALL).code == 0
    assert elites("show", file, 0, "--json").json["value"] == 2 * before


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["run", "circle_pack"], "Did you mean 'circle_packing'?"),
        (["run", "circle_packing", "m=3"], "no parameter 'm'"),
        (["run", "circle_packing", "--sampler", "unifrm", "--file", "x.db", *SMALL], "Did you mean 'uniform'?"),
        (["run", "circle_packing", "--base-url", "http://localhost:1"], "--model"),
        (["run", "circle_packing", "--model", "nobody", "--file", "y.db", *SMALL], "OPENAI_API_KEY"),
        (["run", "circle_packing", "--file", "no/such/folder/x.db", *SMALL], "there is no folder no/such/folder; make it (mkdir -p"),
        (["run", "circle_packing", "--file", ".", *SMALL], ". is a folder, and a run file was expected"),
        (["run", "circle_packing", "--model", "anthropic/claude", "--file", "y.db", *SMALL], "set ANTHROPIC_API_KEY"),
        (["evaluate", "circle_packing", "none.py"], "no program none.py"),
        (["new", "two words"], "two words"),
        (["run", "bin_packing", "--settings", "none.toml"], "none.toml"),
    ],
)
def test_each_mistake_is_one_message(
    elites: Elites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = elites(*words)
    assert ended.code == 1
    assert text in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_a_file_that_is_written_is_refused(elites: Elites, points: Path, tmp_path: Path) -> None:
    file = run_file(tmp_path / "run.db")
    archive = Archive.open(file, write=True)
    refused = elites("run", "circle_packing", "--file", file, *SMALL)
    archive.close()
    assert refused.code == 1
    assert str(os.getpid()) in refused.err


def test_evaluate_says_what_it_must(elites: Elites, points: Path) -> None:
    told = elites("evaluate", points, points / "seed.py", "n=5", "--sandbox", "process", "--json").json
    assert (told["problem"], told["outcome"], told["sandbox"], told["verified"]) == (
        "points",
        "scored",
        "process",
        False,
    )
    assert told["step"] is None
    assert told["value"] > 0
    assert set(told["measures"]) == {"height"}


@pytest.mark.parametrize(
    ("program", "outcome", "text"),
    [
        ("def points(n):\n    return [[2, 2]] * n\n", "invalid", "leaves the square"),
        ("def points(n):\n    raise KeyError('\\x1b[2Jmine')\n", "crash", "mine"),
        ("def points(n)\n", "crash", "SyntaxError"),
        ("def points(n):\n    x = [0]\n    while True: x += x\n", "memory", "more memory than it may use\n"),
    ],
)
def test_evaluate_explains(elites: Elites, points: Path, program: str, outcome: str, text: str) -> None:
    (points / "mine.py").write_text(program)
    ended = elites("evaluate", points, points / "mine.py", "--sandbox", "process")
    assert ended.code == 0
    assert f"outcome   {outcome}" in ended.out
    assert text in ended.out
    assert "\x1b" not in ended.out


def test_check_passes_what_works_and_finds_what_does_not(elites: Elites, points: Path) -> None:
    good = elites("check", points, "--sandbox", "process", "--json")
    assert good.code == 0
    assert good.json["ok"] is True
    scorer = points / "problem.py"
    scorer.write_text(
        scorer.read_text()
        .replace("Score(smallest,", "Score(smallest + time.time(),")
        .replace("from math", "import time\nfrom math")
    )
    bad = elites("check", points, "--sandbox", "process")
    assert bad.code == 1
    assert "FAIL  scored again it gets the same" in bad.out


def test_check_tells_of_a_seed_that_crashes(elites: Elites, points: Path) -> None:
    (points / "seed.py").write_text("def points(n):\n    raise KeyError('mine')\n")
    bad = elites("check", points, "--sandbox", "process")
    assert bad.code == 1
    (failed,) = [text for text in bad.out.splitlines() if text.startswith("FAIL")]
    assert failed == "FAIL  the seed is scored: crash: Traceback (most recent call last):"
    assert "\n      KeyError: 'mine'\nok    an empty program" in bad.out
    assert all(text.startswith(("ok  ", "FAIL", "      ")) for text in bad.out.splitlines())


def test_new_overwrites_nothing(elites: Elites, points: Path) -> None:
    refused = elites("new", points)
    assert refused.code == 1
    assert "exists already" in refused.err


def test_hidden_inputs_go_to_the_weaker_sandbox_only_when_asked() -> None:
    words = ["evaluate", "bin_packing", ROOT / "problems/bin_packing/seed.py"]
    refused = without_daemon(*words)
    assert refused.returncode == 1
    assert "--sandbox process" in refused.stderr
    told = json.loads(without_daemon(*words, "--sandbox", "process", "--json").stdout)
    assert (told["outcome"], told["sandbox"]) == ("scored", "process")


def test_without_a_daemon_the_weaker_sandbox_is_taken_aloud() -> None:
    words = ["evaluate", "circle_packing", ROOT / "problems/circle_packing/seed.py"]
    told = without_daemon(*words, "--json")
    assert json.loads(told.stdout)["sandbox"] == "process"
    assert "accidents are contained, attacks are not" in told.stderr
    refused = without_daemon(*words, "--sandbox", "docker")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("elites: no Docker daemon answers")
    assert "Traceback" not in refused.stderr


def test_doctor_says_how_to_mend_what_is_missing() -> None:
    told = without_daemon("doctor").stdout
    assert "no    Docker daemon" in told
    assert "apt-get install docker.io" in told


def test_doctor_looks_at_everything_and_shows_no_key() -> None:
    environ = {**os.environ, "OPENAI_API_KEY": "sk-very-secret"}
    ended = subprocess.run(
        [sys.executable, "-c", MAIN, "doctor", "--json"], capture_output=True, text=True, check=True, env=environ
    )
    found = {finding["what"]: finding for finding in json.loads(ended.stdout)["findings"]}
    assert {"Python", "Docker daemon", "control groups", "ray", "model keys", "disk here"} <= set(found)
    assert found["model keys"]["found"] == "OPENAI_API_KEY"
    assert "sk-very-secret" not in ended.stdout + ended.stderr
    assert all(finding["ok"] or finding["mend"] for finding in found.values())


def test_the_default_file_has_parameters_other_than_the_defaults() -> None:
    assert default_file("circle_packing", [], reference("circle_packing")) == "circle_packing.db"
    assert default_file("circle_packing", ["n=26"], reference("circle_packing", ["n=26"])) == "circle_packing.db"
    assert default_file("circle_packing", ["n=32"], reference("circle_packing", ["n=32"])) == "circle_packing-n=32.db"


def wait_for(file: Path, steps: int) -> None:
    """Until so many steps of a file are done."""
    for _ in range(300):
        if file.exists():
            archive = Archive.open(file)
            done = archive.view.outcomes.total()
            archive.close()
            if done > steps:
                return
        time.sleep(0.1)
    raise AssertionError("the run does not get on")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run with many steps before it, some of them done."""
    words = ["run", "circle_packing", "--steps", "100000", "--file", str(tmp_path / "run.db"), *SMALL]
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        try:
            wait_for(tmp_path / "run.db", 5)
            yield run
        finally:
            run.kill()


def test_ctrl_c_ends_cleanly_and_the_run_goes_on(
    running: subprocess.Popen[str], elites: Elites, tmp_path: Path
) -> None:
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "finishing what is in flight" in err
    assert "Traceback" not in err
    assert "interrupted; the same command goes on" in out
    file = tmp_path / "run.db"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.db"]
    assert elites("best", file, "--json").json["verified"] is True
    done = len(elites("ls", file, "--limit", 100000, "--json").json["steps"])
    assert elites("run", "circle_packing", "--steps", done, "--file", file, *SMALL).code == 0


def test_a_second_ctrl_c_stops_at_once(running: subprocess.Popen[str], elites: Elites, tmp_path: Path) -> None:
    running.send_signal(signal.SIGINT)
    time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=10)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert elites("check-run", tmp_path / "run.db", "--json").json["ok"] is True


@pytest.mark.docker
def test_evaluate_in_docker(elites: Elites) -> None:
    told = elites(
        "evaluate", "circle_packing", ROOT / "problems/circle_packing/seed.py", "--sandbox", "docker", "--json"
    ).json
    assert (told["outcome"], told["sandbox"], told["isolation"]) == ("scored", "docker", "strict")


@pytest.mark.docker
@pytest.mark.slow
def test_sandbox_build_from_this_interpreter(elites: Elites) -> None:
    ended = elites("sandbox", "build", "--from-host")
    assert ended.code == 0
    assert ended.out.startswith("elites-sandbox:")
