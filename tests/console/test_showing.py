"""What is shown is safe to show, and the map and the progress show what there is."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agent.console import maps
from agent.console.progress import Progress, span
from agent.console.text import clean, line, number, plain
from agent.events import Finished, Said, Started, Stopped
from archive.store import Archive
from archive.types import Run
from evaluators.types import Evaluation, Reference
from problems.circle_packing.problem import problem
from tests.console.files import HOSTILE, run_file


@given(st.text())
def test_clean_text_holds_no_control_characters(text: str) -> None:
    shown = clean(text)
    assert {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} <= {"\n"}
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x1b(Bx", "x"),
        ("a\tb\r\nc\rd", "a    b\ncd"),
        ("\x9b2Jx", "x"),
        ("\x1b", ""),
        ("été ∑ 漢", "été ∑ 漢"),
    ],
)
def test_terminal_sequences_are_taken_out_whole(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_line_is_one_line() -> None:
    assert line("a\nb\n c") == "a b c"
    assert line("x" * 200, 10) == "x" * 9 + "…"


def test_numbers() -> None:
    assert number(None) == "-"
    assert number(0.1 + 0.2) == "0.3"
    assert number(0.1 + 0.2, exact=True) == "0.30000000000000004"


def test_plain_data_is_json() -> None:
    data = {"a": np.array([[1.5, float("nan")]]), "b": (1, True, None), "c": np.array([1 + 2j])}
    assert plain(data) == {"a": [[1.5, "nan"]], "b": [1, True, None], "c": [{"re": 1.0, "im": 2.0}]}


def run(sense: str, *bins: int) -> Run:
    axes = tuple({"name": f"axis{i}", "low": 0.0, "high": 1.0, "bins": count} for i, count in enumerate(bins))
    return Run(Reference("p"), "d", sense, 1, "", 1, 0, "{}", "{}", "", (), axes)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("bins", [(), (5,), (16, 16), (3, 4, 5), (50, 2)])
def test_a_map_fits_its_width_and_shows_the_best(bins: tuple[int, ...], width: int) -> None:
    cells = {tuple(0 for _ in bins): 1.5, tuple(count - 1 for count in bins): 2.5}
    drawn = maps.drawn(run("maximize", *bins), cells, width)
    assert "2.5" in "\n".join(drawn)
    if len(bins) != 2 or bins[0] < 50:
        assert max(map(len, drawn)) <= width
    shades = maps.small(run("maximize", *bins), cells)
    assert len(shades) == (min(8, bins[1]) if len(bins) > 1 else len(bins))


def test_a_smaller_value_is_better_where_it_is_minimized() -> None:
    filled = {(0, 0): 3.0, (0, 1): 1.0}
    assert maps.flat(run("minimize", 1, 1, 2), {(0, 0, 0): 3.0, (0, 0, 1): 1.0}) == {(0, 0): 1.0}
    assert maps.small(run("minimize", 1, 2), filled) == ["█", "░"]
    assert maps.small(run("maximize", 1, 2), filled) == ["░", "█"]


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_shows_a_run(tmp_path: Path, terminal: bool) -> None:
    archive = Archive.open(run_file(tmp_path / "run.db"))
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=100, markup=False, highlight=False, emoji=False)
    with Progress(usd=1.0, every=0.0, console=console) as progress:
        progress(Said(f"in the box {HOSTILE}"))
        progress(Started(problem(), archive, 24, 13))
        progress(Finished(12, Evaluation("scored", 2.2)))
        progress(Stopped("done"))
    archive.close()
    text = shown.getvalue()
    assert "step 12/24" in text
    assert "best 2.2" in text
    assert "scored 11, crash 2" in text
    assert "$0.0000 of $1.00" in text
    assert "[bold red]x[/]" in text
    assert not any(sequence in text for sequence in ("\x1b]0;", "\x1b[2J", "\u202e", "\x00"))
    if terminal:
        assert "record 2.635983085" in text
        assert "█" in text


@pytest.mark.parametrize("terminal", [False, True])
def test_an_error_ends_the_display_with_one_line(tmp_path: Path, terminal: bool) -> None:
    archive = Archive.open(run_file(tmp_path / "run.db"))
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=100, markup=False, highlight=False, emoji=False)
    with Progress(every=0.0, console=console) as progress:
        progress(Started(problem(), archive, 24, 13))
        progress(Stopped("the disk is full"))
        archive.close()
        progress(Finished(13, Evaluation("scored", 2.2)))
        progress(Stopped("the disk is full"))
    last = clean(shown.getvalue()).splitlines()[-1]
    assert last.startswith("step 12/24  best 2.2")
    assert last.endswith("scored 11, crash 2")
    assert "ETA" not in last
    if terminal:
        assert shown.getvalue().rindex("\x1b[?25h") < shown.getvalue().rindex("step 12/24"), "the cursor is back before it"


def test_a_run_that_never_started_shows_nothing_at_its_end() -> None:
    shown = io.StringIO()
    with Progress(console=Console(file=shown)):
        pass
    assert shown.getvalue() == ""


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (600, "10 min"), (12000, "3 h 20 min")])
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
