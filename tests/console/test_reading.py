"""The commands that read a file, on real files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from archive.store import Archive
from archive.types import Candidate, Selection
from tests.console.conftest import Elites
from tests.console.files import run_file, scored, verified

READING = (
    ["best"], ["show", 5], ["ls"], ["ls", "--order", "best"], ["map"], ["lineage", 12], ["diff", 5, 7], ["export"],
)  # fmt: skip


def words(file: Path, command: list[object], to: Path) -> list[object]:
    """The command with the run file first."""
    rest = ["--to", to] if command[0] == "export" else []
    return [command[0], file, *command[1:], *rest]


@pytest.mark.parametrize("command", READING, ids=str)
def test_every_command_prints_one_object_with_json(
    elites: Elites, file: Path, tmp_path: Path, command: list[object]
) -> None:
    ended = elites(*words(file, command, tmp_path / "out"), "--json")
    assert ended.code == 0
    assert ended.json["file"] == str(file)
    assert ended.out.isascii()


@pytest.mark.parametrize("command", READING, ids=str)
@pytest.mark.parametrize("axes", [0, 1, 2])
def test_nothing_that_a_program_said_reaches_the_terminal(
    elites: Elites, tmp_path: Path, command: list[object], axes: int
) -> None:
    file = run_file(tmp_path / "run.db", axes)
    ended = elites(*words(file, command, tmp_path / "out"))
    assert ended.code == 0
    assert ended.out.strip()
    assert {c for c in ended.out if unicodedata.category(c)[0] == "C"} <= {"\n"}


@pytest.mark.parametrize("command", READING, ids=str)
def test_reading_changes_nothing(elites: Elites, file: Path, tmp_path: Path, command: list[object]) -> None:
    before = hashlib.sha256(file.read_bytes()).digest()
    elites(*words(file, command, tmp_path / "out"))
    assert hashlib.sha256(file.read_bytes()).digest() == before


def test_best_says_what_it_must(elites: Elites, file: Path) -> None:
    told = elites("best", file, "--json").json
    assert (told["problem"], told["step"], told["outcome"], told["value"]) == ("circle_packing", 12, "scored", 2.2)
    assert (told["verified"], told["sandbox"]) == (False, "process")
    assert set(told["measures"]) == {"evenness", "walls"}
    text = elites("best", file).out
    assert "not judged again yet" in text
    assert "2.5  somebody, somewhere" in text


def test_best_is_verified_once_a_row_says_so(elites: Elites, file: Path) -> None:
    verified(file, 2.2)
    told = elites("best", file, "--json").json
    assert told["verified"] is True
    assert told["verified_value"] == 2.2


def test_best_passes_over_the_quarantined(elites: Elites, file: Path) -> None:
    bad = verified(file, None, "a forged packing")
    assert elites("best", file, "--json").json["step"] != bad.step
    told = elites("show", file, bad.step, "--json").json
    assert told["verified"] is False
    assert told["quarantined"] == "a forged packing"
    assert "a forged packing" in elites("show", file, bad.step).out


def test_what_a_program_said_cannot_pose_as_a_line_of_ours(elites: Elites, file: Path) -> None:
    archive = Archive.open(file, write=True)
    seed = archive.view.seed
    archive.begin(13, lambda view: (0, Selection(seed)))
    lie = "fine\nverified  yes, again in a fresh box"
    archive.add(Candidate(13, {"a\nvalue     9": ""}, (0,), "mutate", lie, "13"))
    archive.record(13, replace(scored(9.0, 0.5, 0.5), feedback=lie))
    archive.close()
    shown = elites("show", file, 13).out.splitlines()
    assert [text for text in shown if text.startswith("verified")] == ["verified  no: not judged again yet"]
    assert len([text for text in shown if text.startswith("value")]) == 1


def test_ls_orders_and_limits(elites: Elites, file: Path) -> None:
    newest = elites("ls", file, "--limit", 3, "--json").json["steps"]
    assert [row["step"] for row in newest] == [12, 11, 10]
    best = elites("ls", file, "--order", "best", "--json").json["steps"]
    assert [row["value"] for row in best] == sorted((row["value"] for row in best), reverse=True)
    assert len(elites("ls", file, "--limit", 3).out.splitlines()) == 4


def test_map_has_the_best_of_each_cell(elites: Elites, file: Path) -> None:
    cells = elites("map", file, "--json").json["cells"]
    assert max(cell["value"] for cell in cells) == 2.2
    assert len({tuple(cell["cell"]) for cell in cells}) == len(cells)
    drawn = elites("map", file).out
    assert "2.2" in drawn
    assert f"{len(cells)} of 12 cells filled" in drawn


def test_map_of_one_island(elites: Elites, file: Path) -> None:
    assert len(elites("map", file, "--island", 1, "--json").json["cells"]) == 1, "only the seed lives there"
    refused = elites("map", file, "--island", 2)
    assert refused.code == 1
    assert "islands 0 to 1" in refused.err


def test_lineage_goes_from_the_seed_down(elites: Elites, file: Path) -> None:
    line = elites("lineage", file, 12, "--json").json["lineage"]
    assert line[0]["step"] == 0
    assert line[-1]["step"] == 12


def test_diff_is_a_unified_diff(elites: Elites, file: Path) -> None:
    told = elites("diff", file, 1, 2).out
    assert "-    return 1" in told
    assert "+    return 2" in told
    assert "the programs are the same" in elites("diff", file, 1, 1).out


def test_a_file_can_be_read_while_it_is_written(elites: Elites, file: Path) -> None:
    archive = Archive.open(file, write=True)
    seed = archive.view.seed
    archive.begin(13, lambda view: (1, Selection(seed)))
    archive.add(Candidate(13, {"program.py": "x = 1\n"}, (0,), "mutate", key="13"))
    assert elites("ls", file, "--limit", 1, "--json").json["steps"][0]["outcome"] is None
    assert "unfinished" in elites("ls", file).out
    archive.record(13, scored(9.0, 0.5, 0.5))
    assert elites("best", file, "--json").json["step"] == 13
    archive.close()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (["best", "none.db"], "there is no run file none.db"),
        (["show", "FILE", 99], "holds steps from 0 to 12"),
        (["show", "FILE", -1], "there is no step -1: the file holds steps from 0 to 12"),
        (["show", "FILE", 10**30], "holds steps from 0 to 12"),
        (["lineage", "FILE", -1], "holds steps from 0 to 12"),
        (["diff", "FILE", 1, 99], "holds steps from 0 to 12"),
        (["diff", "FILE", 1, -9], "holds steps from 0 to 12"),
        (["export", "FILE", -1, "--to", "nowhere"], "holds steps from 0 to 12"),
        (["plot", "FILE", -1, "--to", "none.png"], "holds steps from 0 to 12"),
        (["best", "."], ". is a folder, and a run file was expected"),
        (["best", __file__], "test_reading.py"),
        (["rescore", "none.db"], "there is no run file"),
    ],
)
def test_an_error_is_one_message_on_stderr(elites: Elites, file: Path, command: list[object], text: str) -> None:
    ended = elites(*(file if word == "FILE" else word for word in command))
    assert ended.code == 1
    assert ended.out == ""
    assert text in ended.err
    assert ended.err.startswith("elites: ")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "command",
    [["best"], ["show", "FILE", "x"], ["ls", "FILE", "--order", "odd"], ["bset", "FILE"], ["ls", "FILE", "--nope"]],
)
def test_wrong_usage_is_exit_code_2(elites: Elites, file: Path, command: list[object]) -> None:
    assert elites(*(file if word == "FILE" else word for word in command)).code == 2


def test_reading_loads_nothing_heavy(file: Path) -> None:
    code = (
        "import sys; from agent.console.app import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'ray', 'openai', 'litellm', 'matplotlib', 'docker', 'libcst', 'scipy', 'agent.search'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code, "best", file], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"
    assert "2.2" in ended.stdout


def test_help_loads_no_numbers() -> None:
    code = (
        "import sys; from agent.console.app import app; heavy = {'numpy', 'sqlalchemy', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_a_reader_that_goes_away_is_no_error(file: Path) -> None:
    code = "from agent.console.app import main; main()"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-c", code, "ls", file], stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert b"Traceback" not in ended.stderr
