"""The documentation is true: what it shows is run, and what it names exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from agent import settings
from agent.console.app import app
from agent.console.manual import commands, manual
from agent.console.scaffold import PROBLEM
from agent.keys import Keys
from archive.samplers import SAMPLERS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NEED_A_KEY = ("--model",)
HERE = {
    "run": ["--engine", "local", "--sandbox", "process"],
    "evaluate": ["--sandbox", "process"],
    "check": ["--sandbox", "process"],
}
"""What keeps an example small and without a daemon."""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


def shown(page: Path) -> Iterator[list[str]]:
    """The `elites …` commands of a page, in order: lines of shell blocks, then those in running text."""
    text = page.read_text("utf-8")
    for block in blocks(page, "sh"):
        yield from (shlex.split(line, comments=True) for line in block.splitlines() if line.startswith("elites "))
    plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for inline in re.findall(r"`(elites [^`]*)`", plain):
        yield shlex.split(inline)


def known() -> dict[str, Any]:
    return {" ".join(words[1:]): command for words, command in commands(typer.main.get_command(app), ("elites",))}


def split(words: list[str]) -> tuple[str, Any, list[str]]:
    """The command's name, the command, and the rest of the words."""
    for length in (2, 1):
        name = " ".join(words[1 : 1 + length])
        if name in known():
            return name, known()[name], words[1 + length :]
    raise AssertionError(f"{words} is no command")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_shown_exists_with_its_options(page: Path) -> None:
    for words in shown(page):
        name, command, rest = split(words)
        full = rest and not any(word.isupper() or "…" in word for word in rest)
        if full:
            command.make_context(name, list(rest))
        named = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= named, words


def test_the_reference_is_up_to_date() -> None:
    kept = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert kept == manual(), "run: .venv/bin/python -m agent.console.manual > docs/commands.md"


def test_the_settings_shown_are_settings() -> None:
    found = [block for page in PAGES for block in blocks(page, "toml")]
    assert found
    for block in found:
        assert settings.parsed(tomllib.loads(block), "README.md").models


def test_the_readme_names_what_can_be_chosen() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert not [name for name in SAMPLERS if f"`{name}`" not in text]


def test_the_problem_shown_is_the_one_that_is_made() -> None:
    (shown_problem,) = blocks(ROOT / "README.md", "python")
    assert shown_problem == PROBLEM.replace("@NAME@", "points")
    body = shown_problem.partition("from itertools")[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20


def test_the_commands_of_the_readme_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for block in blocks(ROOT / "README.md", "sh"):
        for text in block.splitlines():
            words = shlex.split(text, comments=True)
            if not words or words[0] != "elites" or set(words) & set(NEED_A_KEY):
                continue
            name, _, rest = split(words)
            if "--steps" in rest:
                rest[rest.index("--steps") + 1] = "6"
            ended = CliRunner().invoke(app, [*name.split(), *rest, *HERE.get(name, [])], obj=Keys())
            assert ended.exit_code == 0, f"{text}\n{ended.output}\n{ended.exception!r}"
            ran += 1
    assert ran >= 10
    assert (tmp_path / "found" / "program" / "program.py").is_file()


def test_the_python_of_the_design_page_works(tmp_path: Path) -> None:
    (code,) = blocks(ROOT / "docs" / "design.md", "python")
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "def pack" in ended.stdout


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_changelog_lines_are_short() -> None:
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("- ")]
    assert lines
    assert not [line for line in lines if len(line.split()) - 1 > 25]


def test_every_command_is_in_the_readme() -> None:
    text = " ".join(page.read_text("utf-8") for page in PAGES if page.name != "commands.md")
    assert not [name for name in known() if f"elites {name}" not in text and name != "sandbox build"]
