"""Runs with a model, which the server that comes with elites plays, and what a file tells of its calls."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.models.server import Server
from archive.store import Archive
from tests.console.conftest import Elites
from tests.console.files import paid

SMALL = ("--engine", "local", "--sandbox", "process", "--evaluations", 1, "--proposals", 1)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def model(server: Server) -> tuple[str, ...]:
    return ("--model", "small", "--base-url", server.url)


def test_a_file_keeps_the_proposer_that_asks_a_model(elites: Elites, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    words = ("run", "circle_packing", "n=4", "--file", file, *SMALL)
    assert elites(*words, "--steps", 1, *model(server)).code == 0
    for without in ((), ("--proposer", '{use = "roulette", weights = {patch = 4, rewrite = 1}}')):
        refused = elites(*words, "--steps", 2, *without)
        assert (refused.code, refused.out) == (1, "")
        assert "which stays with the file and asks a model: name one with --model or in the settings" in refused.err
        assert "another --file" in refused.err
    other = elites(*words, "--steps", 2, "--proposer", "mutate")
    assert other.code == 1
    assert "its proposer is" in other.err
    assert len(elites("ls", file, "--json").json["steps"]) == 2
    assert elites(*words, "--steps", 2, *model(server)).code == 0


def test_a_model_is_free_and_its_proposer_is_not_named_again(elites: Elites, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    words = ("run", "circle_packing", "n=4", "--file", file, *SMALL)
    assert elites(*words, "--steps", 1, *model(server), "--proposer", "patch").code == 0
    assert elites(*words, "--steps", 2, "--model", "other", "--base-url", server.url).code == 0
    archive = Archive.open(file)
    assert archive.run.proposer == '{"use":"patch"}'
    assert [archive.calls(step)[0][0].model for step in (1, 2)] == ["small", "other"]
    archive.close()


def test_a_model_named_for_a_file_of_mutations_is_refused(elites: Elites, server: Server, tmp_path: Path) -> None:
    words = ("run", "circle_packing", "n=4", "--file", tmp_path / "run.db", *SMALL)
    assert elites(*words, "--steps", 1).code == 0
    refused = elites(*words, "--steps", 2, *model(server))
    assert refused.code == 1
    assert "asks no model: leave out the model, or take another --file" in refused.err
    assert server.tally.calls == 0


def test_a_call_that_is_dearer_than_what_is_left_is_said(elites: Elites, server: Server, tmp_path: Path) -> None:
    prices = ("--price-in", 0, "--price-out", 10, "--max-tokens", 1000)
    words = ("run", "circle_packing", "n=4", "--file", tmp_path / "run.db", *SMALL, *model(server), *prices)
    ended = elites(*words, "--steps", 3, "--usd", 0.005)
    assert ended.code == 0
    assert "the next call might pass the budget: 0 steps in" in ended.out
    assert "one call may cost $0.0100, and $0.0050 of $0.0050 is left: raise --usd, or lower --max-tokens" in ended.out
    assert server.tally.calls == 0
    assert "all steps are done: 3 steps" in elites(*words, "--steps", 3, "--usd", 5).out


def test_show_has_program_and_calls(elites: Elites, file: Path) -> None:
    paid(file, 3)
    told = elites("show", file, 3, "--json").json
    assert told["files"] == {"program.py": "def f():\n    return 3\n"}
    assert told["usd"] == 0.25
    failed, answered, lost = told["calls"]
    assert (failed["reply"], failed["ended"], failed["prompt"][0]["role"]) == (None, True, "prompt")
    assert failed["error"].startswith("busy ")
    assert (answered["number"], answered["purpose"], answered["reserved"]) == (1, "patch", 0.5)
    assert (answered["prompt_tokens"], answered["completion_tokens"], answered["usd"], answered["seconds"]) == (10, 5, 0.25, 1.0)
    assert [message["role"] for message in answered["prompt"]] == ["system", "user"]
    assert answered["reply"].startswith("text ")
    assert (lost["ended"], lost["reply"], lost["seconds"]) == (False, None, None)


def test_show_prints_calls_in_short_and_in_full(elites: Elites, file: Path) -> None:
    paid(file, 3)
    short, full = elites("show", file, 3).out, elites("show", file, 3, "--calls").out
    assert "return 3" in short
    assert [text.rpartition(": ")[2] for text in short.splitlines() if text.startswith("call ")][1:] == [
        "10 tokens in, 5 out, $0.25, 1 s",
        "no answer on record",
    ]
    assert "failed (busy" in short
    assert "Improve it." not in short
    assert full.startswith(short.rstrip())
    assert "--- call 1: system\n          Improve it.\n" in full
    assert "no model was asked" in elites("show", file, 4, "--calls").out


@pytest.mark.parametrize("option", [(), ("--calls",), ("--json",)])
def test_what_a_model_said_cannot_pose_or_command(elites: Elites, file: Path, option: tuple[str, ...]) -> None:
    paid(file, 3)
    ended = elites("show", file, 3, *option)
    assert {c for c in ended.out if unicodedata.category(c)[0] == "C"} <= {"\n"}
    lines = ended.out.splitlines()
    ours = 0 if "--json" in option else 1
    assert lines.count("--- program.py") == ours
    assert len([text for text in lines if text.startswith("value ")]) == ours
