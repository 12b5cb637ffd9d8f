"""The commands that write something of a file: `export`, `copy` and `plot`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archive.store import Archive
from archive.types import Candidate, Selection
from evaluators.types import Reference
from tests.console.conftest import Elites
from tests.console.files import run_file, scored


def test_export_writes_program_artifact_and_facts(elites: Elites, file: Path, tmp_path: Path) -> None:
    assert elites("export", file, "--to", tmp_path / "out").code == 0
    assert (tmp_path / "out/program/program.py").read_text() == "def f():\n    return 12\n"
    assert json.loads((tmp_path / "out/artifact.json").read_text()) == [[0.5, 0.5, 0.22000000000000003]]
    assert json.loads((tmp_path / "out/facts.json").read_text())["step"] == 12


@pytest.mark.parametrize("name", ["../escaped.py", "/tmp/escaped.py", "a/../../escaped.py", "\0escaped.py"])
def test_export_writes_nothing_outside_the_folder(elites: Elites, file: Path, tmp_path: Path, name: str) -> None:
    archive = Archive.open(file, write=True)
    seed = archive.view.seed
    archive.begin(13, lambda view: (0, Selection(seed)))
    archive.add(Candidate(13, {"a.py": "", name: "escaped"}, (0,), "mutate", key="13"))
    archive.record(13, scored(9.0, 0.5, 0.5))
    archive.close()
    refused = elites("export", file, 13, "--to", tmp_path / "deep" / "out")
    assert refused.code == 1
    assert "leads out of the folder" in refused.err
    assert not list(tmp_path.rglob("escaped.py"))
    assert not (tmp_path / "deep").exists()


def test_copy_copies_and_overwrites_nothing(elites: Elites, file: Path, tmp_path: Path) -> None:
    archive = Archive.open(file, write=True)
    assert elites("copy", file, tmp_path / "copy.db").code == 0
    archive.close()
    assert elites("best", tmp_path / "copy.db", "--json").json["step"] == 12
    refused = elites("copy", file, tmp_path / "copy.db")
    assert refused.code == 1
    assert "exists already" in refused.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("copy FILE folder", "is a folder, and a copy was expected"),
        ("copy FILE note", "exists already"),
        ("copy FILE note/new", "is a file, and a folder was expected"),
        ("copy FILE none/new", "there is no folder none; make it (mkdir -p none)"),
        ("plot FILE --to folder", "is a folder, and a picture was expected"),
        ("plot FILE --to note/new", "is a file, and a folder was expected"),
        ("plot FILE --to none/new", "there is no folder none; make it (mkdir -p none)"),
        ("export FILE --to folder", "is not empty"),
        ("export FILE --to note", "is a file, and a folder was expected"),
        ("export FILE --to note/new", "is a file, and a folder was expected"),
    ],
)
def test_where_nothing_can_be_written_nothing_is_made(
    elites: Elites, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name in ("note", "folder/mine"):
        (tmp_path / name).write_text("keep")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    refused = elites(*(file if word == "FILE" else word for word in words.split()))
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("elites: ")
    assert text in refused.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "none").exists()


def test_export_overwrites_only_when_forced(elites: Elites, file: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    to.mkdir()
    assert elites("export", file, 1, "--to", to).code == 0, "an empty folder is as good as none"
    refused = elites("export", file, 2, "--to", to)
    assert refused.code == 1
    assert "--force" in refused.err
    assert "return 1" in (to / "program" / "program.py").read_text()
    assert elites("export", file, 2, "--to", to, "--force").code == 0
    assert "return 2" in (to / "program" / "program.py").read_text()


def test_what_is_written_is_told_as_json(elites: Elites, file: Path, tmp_path: Path) -> None:
    drawn = elites("plot", file, "--to", tmp_path / "best", "--json").json
    assert drawn == {"file": str(file), "step": 12, "written": [str(tmp_path / "best")]}
    assert (tmp_path / "best").read_bytes().startswith(b"\x89PNG")
    copied = elites("copy", file, tmp_path / "copy.db", "--json").json
    assert copied == {"file": str(file), "written": [str(tmp_path / "copy.db")]}


def test_plot_makes_the_kind_that_is_asked_for(elites: Elites, file: Path, tmp_path: Path) -> None:
    assert elites("plot", file, "--to", tmp_path / "best.SVG").code == 0
    assert b"<svg" in (tmp_path / "best.SVG").read_bytes()
    refused = elites("plot", file, "--to", tmp_path / "best.doc")
    assert refused.code == 1
    assert "no picture is made of the kind 'doc'; there are " in refused.err
    assert not (tmp_path / "best.doc").exists()


def test_plot_takes_no_setting_from_the_current_folder(file: Path, tmp_path: Path) -> None:
    pictures = []
    for name, setting in (("plain", None), ("red", b"figure.facecolor: red\n"), ("broken", b"\xff\xfe")):
        folder = tmp_path / name
        folder.mkdir()
        if setting is not None:
            (folder / "matplotlibrc").write_bytes(setting)
        code = "from agent.console.app import main; main()"
        subprocess.run([sys.executable, "-c", code, "plot", file, "--to", "a.png"], cwd=folder, check=True, capture_output=True)
        pictures.append((folder / "a.png").read_bytes())
    assert pictures[0] == pictures[1] == pictures[2]


def test_plot_draws_a_bundled_problem(elites: Elites, file: Path, tmp_path: Path) -> None:
    assert elites("plot", file, "--to", tmp_path / "best.png").code == 0
    assert (tmp_path / "best.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "source", [Reference("mine", {}, {"problem.py": "raise SystemExit(7)"}), Reference("this:PROBLEM")]
)
def test_plot_runs_no_code_that_a_file_brings(elites: Elites, tmp_path: Path, source: Reference) -> None:
    file = run_file(tmp_path / "run.db", reference=source)
    refused = elites("plot", file, "--to", tmp_path / "best.png")
    assert refused.code == 1
    assert "--problem" in refused.err
    assert "this" not in sys.modules


