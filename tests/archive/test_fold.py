from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.fold import View
from archive.types import ArchiveError, Candidate, Entry, Judged
from evaluators.types import Evaluation
from tests.archive.helpers import DIGEST, RUN

OTHER = "e" * 64


def load(step: int, digest: str) -> Entry:
    return Entry(Candidate(step, {}, (), "tester"), Evaluation("crash", digest=digest))


@st.composite
def sequences(draw: st.DrawFn) -> list[Judged]:
    rows = []
    for number in range(1, draw(st.integers(0, 60)) + 1):
        value = draw(st.none() | st.sampled_from([0.0, 1.0, 2.0, 3.0]))
        outcome = "scored" if value is not None else draw(st.sampled_from(["crash", "scorer", "reply"]))
        measures = {"a": draw(st.sampled_from([-9.0, 0.1, 0.5, 1.0])), "b": draw(st.sampled_from([-0.5, 0.5]))}
        step = draw(st.integers(0, 30))
        rows.append(
            Judged(
                number, step, 0 if step == 0 else (step - 1) % 2, outcome, value, measures,
                draw(st.sampled_from([DIGEST, DIGEST, DIGEST, OTHER])),
                draw(st.sampled_from(["score", "score", "score", "audit"])), draw(st.sampled_from([0, 0, 0, 1])),
            )
        )  # fmt: skip
    return rows


def counting(rows: list[Judged]) -> list[Judged]:
    """The row that stands for each step, by the definition: its first that scored, else its last; ascending."""
    chosen: dict[int, Judged] = {}
    for row in rows:
        if (row.digest, row.stage, row.repeat) != (DIGEST, "score", 0):
            continue
        if row.step not in chosen or chosen[row.step].outcome != "scored":
            chosen[row.step] = row
    return sorted(chosen.values(), key=lambda row: row.row)


def beats(one: Judged, other: Judged, sense: str) -> bool:
    assert one.value is not None
    assert other.value is not None
    return one.value > other.value if sense == "maximize" else one.value < other.value


def naive(rows: list[Judged], out: frozenset[int], sense: str) -> object:
    stand = counting(rows)
    contest = [row for row in stand if row.value is not None and row.step not in out]
    islands = []
    for island in range(2):
        here = [row for row in contest if row.step == 0 or row.island == island]
        cells = {}
        for row in here:
            cells.setdefault((min(int(max(row.measures["a"], 0) * 3), 2), int(row.measures["b"] > 0)), []).append(row)
        islands.append([best_of(rows, sense).step for rows in cells.values()])
    best = best_of(contest, sense).step if contest else None
    return islands, best, Counter(row.outcome for row in stand), [row.outcome for row in stand][-100:]


def best_of(rows: list[Judged], sense: str) -> Judged:
    best = rows[0]
    for row in rows[1:]:
        if beats(row, best, sense):
            best = row
    return best


def told(view: View) -> object:
    best = view.best()
    islands = [[entry.step for entry in view.elites(island)] for island in range(2)]
    return islands, None if best is None else best.step, view.outcomes, list(view.recent)


@settings(deadline=None, max_examples=80)
@given(sequences(), st.frozensets(st.integers(0, 30), max_size=4), st.sampled_from(["maximize", "minimize"]))
def test_the_fold_of_any_rows_is_the_naive_one(rows: list[Judged], out: frozenset[int], sense: str) -> None:
    view = View(replace(RUN, sense=sense), load)
    view.reset(DIGEST, out, 0)
    for row in rows:
        view.apply(row)
    assert told(view) == naive(rows, out, sense)
    assert view.last == (rows[-1].row if rows else 0)


@settings(deadline=None, max_examples=30)
@given(sequences())
def test_an_elite_is_never_beaten_within_its_cell_and_only_improves(rows: list[Judged]) -> None:
    view, values = View(RUN, load), {row.step: row.value for row in counting(rows)}
    held: list[dict[object, float]] = [{}, {}]
    for row in rows:
        view.apply(row)
        for island, before in enumerate(held):
            for cell, place in view._grid[island].places.items():
                value = view._grid[island].rows[place].value
                assert value is not None
                assert value >= before.get(cell, value)
                before[cell] = value
    best = view.best()
    scores = [value for value in values.values() if value is not None]
    assert (best is None) == (not scores)
    if best is not None:
        assert values[best.step] == max(scores)
        assert view.filled() <= sum(view.filled(island) for island in range(2))


def row(number: int, step: int, outcome: str, value: float | None = None) -> Judged:
    return Judged(number, step, 0, outcome, value, {"a": 0.5, "b": 0.0}, DIGEST)


def test_judging_again_replaces_what_the_scorer_failed_on() -> None:
    view = View(RUN, load)
    for one in (row(1, 0, "scored", 1.0), row(2, 1, "scorer"), row(3, 2, "crash")):
        view.apply(one)
    assert view.outcomes == {"scored": 1, "scorer": 1, "crash": 1}
    view.apply(row(4, 1, "scored", 5.0))
    assert view.outcomes == {"scored": 2, "crash": 1}
    assert list(view.recent) == ["scored", "crash", "scored"]
    best = view.best()
    assert best is not None
    assert best.step == 1


def test_the_earliest_of_equals_stays() -> None:
    view = View(RUN, load)
    for number, step in ((1, 0), (2, 9), (3, 5)):
        view.apply(row(number, step, "scored", 1.0))
    best = view.best()
    assert best is not None
    assert best.step == 0
    assert [entry.step for entry in view.elites(0)] == [0]


def test_rows_come_in_order() -> None:
    view = View(RUN, load)
    view.apply(row(2, 0, "crash"))
    with pytest.raises(ArchiveError, match="row 1 came after row 2"):
        view.apply(row(1, 1, "crash"))


def test_recent_looks_back_on_a_hundred() -> None:
    view = View(RUN, load)
    for number in range(1, 151):
        view.apply(row(number, number, "crash" if number <= 50 else "timeout"))
    assert list(view.recent) == ["timeout"] * 100


@pytest.mark.parametrize(
    "axis",
    [
        {"name": "a", "low": 0.0, "high": 1.0},
        {"name": "a", "low": 1.0, "high": 1.0, "bins": 3},
        {"name": "a", "low": 0.0, "high": "x", "bins": 3},
        {"name": "a", "low": 0.0, "high": 1.0, "bins": 0},
    ],
)
def test_axes_of_a_broken_file_are_refused(axis: dict[str, float | str]) -> None:
    with pytest.raises(ArchiveError, match="axis"):
        View(replace(RUN, axes=(axis,)), load)


def test_a_missing_measure_is_refused() -> None:
    view = View(RUN, load)
    with pytest.raises(ArchiveError, match="measure 'b'"):
        view.apply(replace(row(1, 0, "scored", 1.0), measures={"a": 0.1}))
