from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archive.check import check_run
from archive.samplers import Fitness, Uniform, drawing
from archive.store import Archive
from archive.types import ArchiveError, Begun, BudgetSpent, Call, Candidate, Settled
from tests.archive.helpers import RUN, drawn, scored, seeded, state, step


def test_sixteen_writers_and_readers_meanwhile(tmp_path: Path) -> None:
    path, done = tmp_path / "run.db", threading.Event()

    def follow() -> int:
        looks = 0
        with closing(Archive.open(path)) as reader:
            while not done.is_set():
                reader.refresh()
                best = reader.view.best()
                assert best is not None
                assert reader.entry(best.step).value == best.value
                looks += 1
        return looks

    with closing(seeded(path)) as archive, ThreadPoolExecutor(18) as pool:
        readers = [pool.submit(follow) for _ in range(2)]
        try:
            list(pool.map(lambda number: step(archive, number, drawn(number), Fitness()), range(1, 301), timeout=120))
        finally:
            done.set()
        assert all(reader.result() > 0 for reader in readers)
        warm = state(archive)
        report = check_run(archive, Fitness(), 300)
        assert (report.steps, report.selections, report.findings) == (301, 300, ())
    with closing(Archive.open(path)) as archive:
        assert state(archive) == warm
        assert sum(archive.view.outcomes.values()) == 301


def test_a_failing_writer_fails_alone(tmp_path: Path) -> None:
    with closing(seeded(tmp_path / "run.db")) as archive:
        for number in range(1, 65):
            archive.begin(number, drawing(RUN, Uniform(), number))
        step(archive, 65, scored(2.0))
        start = threading.Barrier(32)

        def write(number: int) -> str:
            start.wait()
            try:
                archive.record(65 if number % 4 == 0 else number + 1, scored(3.0 + number))
            except ArchiveError as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(32) as pool:
            said = list(pool.map(write, range(32)))
        assert [bool(text) for text in said] == [number % 4 == 0 for number in range(32)]
        assert all("scored already" in text for text in said if text)
        assert archive.view.outcomes == {"scored": 2 + 24}


def test_equal_candidates_at_once_have_one_first(tmp_path: Path) -> None:
    with closing(seeded(tmp_path / "run.db")) as archive, ThreadPoolExecutor(16) as pool:
        for number in range(1, 17):
            archive.begin(number, drawing(RUN, Uniform(), number))
        start = threading.Barrier(16)

        def add(number: int) -> int | None:
            start.wait()
            return archive.add(Candidate(number, {"program.py": "same"}, (0,), "x", key="same"))

        earlier = list(pool.map(add, range(1, 17)))
        first = earlier.index(None) + 1
        assert earlier.count(None) == 1
        assert set(earlier) == {None, first}


def test_the_budget_is_promised_once(tmp_path: Path) -> None:
    with closing(seeded(tmp_path / "run.db")) as archive, ThreadPoolExecutor(64) as pool:
        for number in range(1, 65):
            archive.begin(number, drawing(RUN, Uniform(), number))
        start = threading.Barrier(64)

        def reserve(number: int) -> bool:
            start.wait()
            try:
                archive.reserve(Call(number, 0, "propose", "m", "[]", 0.1), 1.0)
            except BudgetSpent:
                return False
            return True

        promised = [number for number, got in enumerate(pool.map(reserve, range(1, 65)), 1) if got]
        assert len(promised) == 10
        assert archive.spent() == pytest.approx(1.0)
        list(pool.map(lambda number: archive.settle(number, 0, Settled("ok", 1, 1, 0.01, 0.1)), promised))
        assert archive.spent() == pytest.approx(0.1)
        assert sum(bool(archive.calls(number)) for number in range(1, 65)) == 10


def test_the_view_does_not_move_under_a_draw(tmp_path: Path) -> None:
    with closing(seeded(tmp_path / "run.db")) as archive:
        drawing_now, go_on = threading.Event(), threading.Event()
        archive.begin(2, drawing(RUN, Uniform(), 2))

        def slow(view):  # type: ignore[no-untyped-def]
            drawing_now.set()
            before = view.last
            assert go_on.wait(1) is False  # the other thread is inside record by now
            assert view.last == before
            return drawing(RUN, Uniform(), 1)(view)

        with ThreadPoolExecutor(2) as pool:
            begun = pool.submit(archive.begin, 1, slow)
            assert drawing_now.wait(10)
            recorded = pool.submit(archive.record, 2, scored(5.0))
            assert begun.result(10)[0].saw == 1
            recorded.result(10)
        assert archive.view.last == 2


def test_money(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    with closing(seeded(path)) as archive:
        archive.begin(1, drawing(RUN, Uniform(), 1))
        asked = Call(1, 0, "propose", "m", '[{"content": "half \ud800"}]', 0.5)
        archive.reserve(asked, 1.0)
        assert archive.spent() == 0.5
        with pytest.raises(BudgetSpent, match=r"\$0\.5000 of \$1\.0000 is left"):
            archive.reserve(replace(asked, number=1, reserved=0.6), 1.0)
        with pytest.raises(ArchiveError, match="reserved already"):
            archive.reserve(asked, None)
        archive.settle(1, 0, Settled("hello", 10, 20, 0.2, 1.5))
        archive.reserve(replace(asked, number=1, reserved=0.3), 1.0)
        archive.settle(1, 1, Settled(None, error="timed out", seconds=9.0))
        archive.reserve(replace(asked, number=2, reserved=None), 0.5)
        archive.settle(1, 2, Settled("free"))
        archive.reserve(replace(asked, number=3, reserved=0.01), None)
        archive.settle(1, 3, Settled("odd", usd=float("nan")))
        archive.reserve(replace(asked, number=4, reserved=0.02), None)
        assert archive.spent() == pytest.approx(0.53)
        for number, said in ((0, "settled already"), (9, "never reserved")):
            with pytest.raises(ArchiveError, match=said):
                archive.settle(1, number, Settled("x"))
        with pytest.raises(ArchiveError, match="finite number"):
            archive.reserve(replace(asked, number=5, reserved=float("nan")), None)
        with pytest.raises(ArchiveError, match="does not fit"):
            archive.reserve(replace(asked, step=9, reserved=5.0), None)
        assert archive.spent() == pytest.approx(0.53)
    with closing(Archive.open(path, write=True)) as archive:
        assert archive.spent() == pytest.approx(0.53)
        calls = archive.calls(1)
        assert calls[0] == (asked, Settled("hello", 10, 20, 0.2, 1.5))
        assert calls[1][1] == Settled(None, error="timed out", seconds=9.0)
        assert [settled is None for _, settled in calls] == [False] * 4 + [True]
        archive.settle(1, 4, Settled("late", usd=0.0))
        assert archive.spent() == pytest.approx(0.51)


def test_a_leader_that_is_interrupted_leaves_the_others_their_writes(tmp_path: Path) -> None:
    with closing(seeded(tmp_path / "run.db")) as archive:
        inside, queued = threading.Event(), threading.Event()
        commits = archive._writing

        def interrupted(connection: object) -> None:
            inside.set()
            queued.wait(10)
            raise KeyboardInterrupt

        def leads() -> None:
            with pytest.raises(KeyboardInterrupt):
                commits(interrupted)

        def begin(number: int) -> Begun:
            return archive.begin(number, drawing(RUN, Uniform(), number))[0]

        with ThreadPoolExecutor(8) as pool:
            leader = pool.submit(leads)
            assert inside.wait(10)
            others = [pool.submit(begin, number) for number in range(1, 6)]
            queued.set()
            assert [other.result(20).step for other in others] == [1, 2, 3, 4, 5]
            leader.result(20)
        assert len(archive.rows()) == 6
