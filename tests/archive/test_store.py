from __future__ import annotations

import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archive import blobs
from archive.samplers import Fitness, SeedOnly, Uniform, drawing
from archive.store import Archive
from archive.types import ArchiveError, Candidate, Note
from evaluators.types import Evaluation
from tests.archive.helpers import DIGEST, RUN, drawn, failed, scored, seeded, state, step

OTHER = "e" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


def test_what_goes_in_comes_out(path: Path) -> None:
    weird = "half \ud800 pair, \x00 and ü"
    with closing(seeded(path)) as archive:
        begun, selection = archive.begin(1, drawing(RUN, Uniform(), 1))
        assert (begun.island, begun.parents, begun.saw) == (0, (0,), 1)
        assert selection.parent.step == 0
        candidate = Candidate(1, {"program.py": weird, "a/b.py": "x"}, (0,), "patch:m", "note", "key")
        assert archive.add(candidate) is None
        evaluation = replace(
            scored(2.5, artifact={"x": np.arange(3.0)}), feedback="fine", image="img", isolation="strict"
        )
        archive.record(1, evaluation)
    with closing(Archive.open(path)) as archive:
        assert archive.run == RUN
        assert archive.candidate(1) == candidate
        entry = archive.entry(1)
        assert entry.candidate == candidate
        assert replace(entry.evaluation, artifact=None) == replace(evaluation, artifact=None)
        assert isinstance(entry.evaluation.artifact, dict)
        assert np.array_equal(np.asarray(entry.evaluation.artifact["x"]), np.arange(3.0))
        assert archive.selection(begun) == selection
        assert archive.candidate(2) is None


def test_a_step_that_began_keeps_its_selection(path: Path) -> None:
    with closing(seeded(path)) as archive:
        first = archive.begin(1, drawing(RUN, Uniform(), 1))
    with closing(Archive.open(path, write=True)) as archive:
        step(archive, 2, scored(9.0))

        def never(view: object) -> object:
            raise AssertionError("drawn again")

        assert archive.begin(1, never) == first  # type: ignore[arg-type]


def test_add_names_the_first_with_the_same_key(path: Path) -> None:
    with closing(seeded(path)) as archive:
        assert step(archive, 1, scored(2.0), key="same") is None
        assert step(archive, 2, failed("duplicate"), key="same") == 1
        assert step(archive, 3, failed("duplicate"), key="seed") == 0
        again = archive.candidate(2)
        assert again is not None
        assert archive.add(again) == 1
        assert archive.add(replace(again, files={"program.py": "other"})) == 1
        assert archive.candidate(2) == again
        archive.begin(4, drawing(RUN, Uniform(), 4))
        assert archive.add(Candidate(4, {}, (), "x", key="")) is None


def test_rebuilt_is_warm(path: Path) -> None:
    with closing(seeded(path)) as archive:
        for number in range(1, 120):
            step(archive, number, drawn(number), Fitness())
        archive.verify(archive.view.best().step, None, "rounding", failed())  # type: ignore[union-attr]
        warm = state(archive)
        with closing(Archive.open(path)) as other:
            assert state(other) == warm
    with closing(Archive.open(path)) as archive:
        assert state(archive) == warm


def test_resuming_goes_on_where_the_row_ends(path: Path) -> None:
    with closing(seeded(path)) as archive:
        for number in (1, 3, 4, 7):
            step(archive, number, failed("scorer") if number == 3 else scored(1.0))
        archive.begin(2, drawing(RUN, Uniform(), 2))
        assert list(archive.unfinished(8)) == [2, 5, 6, 8]
        assert list(archive.unfinished(8, retry="scorer")) == [2, 3, 5, 6, 8]
        assert list(archive.unfinished(4)) == [2]
        assert list(archive.unfinished(3, retry="scorer")) == [2, 3]
        archive.record(3, scored(4.0))
        assert list(archive.unfinished(3, retry="scorer")) == [2]
        assert archive.view.outcomes == {"scored": 5}
        assert [one.outcome for one in archive.evaluations(3)] == ["scorer", "scored"]
        endless = archive.unfinished(10**12)
        assert [next(endless) for _ in range(3)] == [2, 5, 6]
    with closing(Archive.create(path.with_name("new.db"), RUN)) as archive:
        assert list(archive.unfinished(2)) == [0, 1, 2]


def test_many_finished_steps_are_walked_in_pages(path: Path) -> None:
    with closing(seeded(path)) as archive:
        for number in range(1, 510):
            archive.begin(number, drawing(RUN, SeedOnly(), number))
            archive.record(number, failed("scorer"))
            archive.record(number, failed("crash"))
        assert list(archive.unfinished(511, retry="crash")) == list(range(1, 512))
        assert list(archive.unfinished(511, retry="scorer")) == [510, 511]


def test_a_value_is_never_replaced_and_only_scored_has_one(path: Path) -> None:
    with closing(seeded(path)) as archive:
        step(archive, 1, scored(2.0))
        before = state(archive)
        archive.begin(2, drawing(RUN, Uniform(), 2))
        for number, evaluation, said in (
            (1, scored(3.0), "scored already"),
            (1, failed(), "scored already"),
            (2, replace(scored(3.0), value=None), "belongs to `scored` alone"),
            (2, replace(failed(), value=3.0), "belongs to `scored` alone"),
            (2, scored(float("nan")), "finite value"),
            (2, scored(3.0, a=float("inf")), "measure 'a'"),
            (2, replace(scored(3.0), artifact=object()), "artifact cannot be kept"),  # type: ignore[arg-type]
            (3, scored(3.0), "does not fit"),
        ):
            with pytest.raises(ArchiveError, match=said):
                archive.record(number, evaluation)
        assert state(archive) == before


def test_steps_that_are_not_there(path: Path) -> None:
    with closing(seeded(path)) as archive:
        archive.begin(1, drawing(RUN, Uniform(), 1))
        with pytest.raises(ArchiveError, match="step 1 has begun, but is not judged yet"):
            archive.entry(1)
        with pytest.raises(ArchiveError, match="no step 5: the file holds steps from 0 to 1"):
            archive.entry(5)
        with pytest.raises(ArchiveError, match="begin at 1"):
            archive.begin(-1, drawing(RUN, Uniform(), 1))
        with pytest.raises(ArchiveError, match="does not fit"):
            archive.add(Candidate(9, {}, (), "x"))
        assert archive.candidate(9) is None


def test_artifacts_are_kept_where_they_matter(path: Path) -> None:
    with closing(seeded(path)) as archive:
        step(archive, 1, scored(2.0, artifact=[1, 2]))
        step(archive, 3, scored(1.5, artifact=[3, 4]))  # the same cell and island
        assert archive.entry(1).evaluation.artifact == [1, 2]
        assert archive.entry(3).evaluation.artifact is None
        large = np.zeros(blobs.LIMIT // 8)
        step(archive, 5, scored(9.0, artifact=large))
        entry = archive.entry(5)
        assert entry.evaluation.artifact is None
        assert "64 MiB" in entry.evaluation.feedback
        assert entry.evaluation.feedback.startswith("well done\n")
        archive.begin(7, drawing(RUN, Uniform(), 7))
        with pytest.raises(ArchiveError, match="at most 64 MiB"):
            archive.add(Candidate(7, {"program.py": "x" * (blobs.LIMIT + 1)}, (), "x"))


def test_a_bomb_does_not_unpack() -> None:
    with pytest.raises(ArchiveError, match="damaged"):
        blobs.unpacked("0" * 64, zlib.compress(bytes(blobs.LIMIT + 1), 1))
    with pytest.raises(ArchiveError, match="damaged"):
        blobs.unpacked("0" * 64, b"nothing")


def test_quarantine_gives_the_cell_to_the_next(path: Path) -> None:
    with closing(seeded(path)) as archive:
        for number, value in ((1, 3.0), (3, 9.0), (5, 2.0)):
            step(archive, number, scored(value))
        archive.verify(3, None, "not reached again", replace(failed(), stage="audit"))
        best = archive.view.best()
        assert best is not None
        assert best.step == 1
        assert [entry.step for entry in archive.view.elites(0)] == [1]
        archive.verify(1, 3.0, "", scored(3.0))
        checked = archive.verified(1)
        assert checked is not None
        assert (checked.value, checked.quarantined) == (3.0, False)
        refused = archive.verified(3)
        assert refused is not None
        assert refused.reason == "not reached again"
        assert archive.verified(5) is None
        assert [one.stage for one in archive.evaluations(1)] == ["score", "verify"]
        assert [one.stage for one in archive.evaluations(3)] == ["score", "audit"]
        with pytest.raises(ArchiveError, match="value or with a reason"):
            archive.verify(5, None, "", failed())
        warm = state(archive)
    with closing(Archive.open(path)) as archive:
        assert state(archive) == warm


def test_a_rescore_takes_effect_when_it_is_complete(path: Path) -> None:
    with closing(seeded(path)) as archive:
        step(archive, 1, scored(2.0))
        step(archive, 2, failed("duplicate"))
        archive.begin(3, drawing(RUN, Uniform(), 3))
        archive.record(3, failed("reply"))
        archive.record(0, replace(scored(7.0), digest=OTHER))
        assert list(archive.unscored(OTHER)) == [1]
        with pytest.raises(ArchiveError, match="1 candidates are not judged"):
            archive.switch(OTHER)
        assert archive.digest == DIGEST
        archive.record(1, replace(scored(0.5), digest=OTHER))
        before = archive.view.best()
        assert before is not None
        assert before.step == 1
        archive.switch(OTHER)
        best = archive.view.best()
        assert best is not None
        assert (best.step, best.value) == (0, 7.0)
        assert archive.view.outcomes == {"scored": 2, "duplicate": 1, "reply": 1}
        assert list(archive.unfinished(4)) == [4]
        archive.begin(4, drawing(RUN, Uniform(), 4))
        archive.record(4, Evaluation("unproposed"))
        assert archive.entry(4).evaluation.digest == OTHER
        warm = state(archive)
        with pytest.raises(ArchiveError, match="counts already"):
            archive.switch(OTHER)
    with closing(Archive.open(path)) as archive:
        assert (archive.digest, state(archive)) == (OTHER, warm)


def test_listings(path: Path) -> None:
    with closing(seeded(path)) as archive:
        step(archive, 1, failed("scorer"))
        archive.record(1, scored(4.0))
        step(archive, 2, failed("timeout"))
        archive.begin(3, drawing(RUN, Uniform(), 3))
        rows = list(archive.rows())
        assert [(row.step, row.outcome, row.value) for row in rows] == [
            (3, None, None), (2, "timeout", None), (1, "scored", 4.0), (0, "scored", 1.0),
        ]  # fmt: skip
        assert [row.step for row in archive.rows(order="best", limit=5)] == [1, 0]
        assert [row.step for row in archive.rows(limit=1)] == [3]
        assert (rows[2].author, rows[2].parents, rows[2].island) == ("tester", (0,), 0)
        with pytest.raises(ArchiveError, match="'newest' or 'best'"):
            archive.rows(order="odd")
        step(archive, 5, scored(5.0), sampler=lambda view, island, rng: Uniform(0)(view, 0, rng))
        line = [entry.step for entry in archive.lineage(5)]
        assert line[0] == 0
        assert line[-1] == 5


def test_notes_and_settings(path: Path) -> None:
    with closing(seeded(path)) as archive:
        archive.note("larger steps help")
        archive.note("or not", 0)
        archive.invocation({"steps": 30, "versions": {"elites": "0.1"}})
        assert archive.notes() == [Note("larger steps help"), Note("or not", 0)]


def test_a_copy_is_whole_while_a_run_writes(path: Path, tmp_path: Path) -> None:
    with closing(seeded(path)) as archive:
        for number in range(1, 20):
            step(archive, number, drawn(number))
        archive.copy(tmp_path / "copy.db")
        expected = state(archive)
        step(archive, 20, scored(99.0))
        with pytest.raises(ArchiveError, match="File exists"):
            archive.copy(tmp_path / "copy.db")
    with closing(Archive.open(tmp_path / "copy.db", write=True)) as copied:
        assert state(copied) == expected
        step(copied, 20, scored(1.0))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy.db", "run.db"]


def test_readers_follow_and_never_write(path: Path) -> None:
    with closing(seeded(path)) as archive, closing(Archive.open(path)) as reader:
        for number in range(1, 40):
            step(archive, number, drawn(number))
            if number % 13 == 0:
                reader.refresh()
                assert state(reader) == state(archive)
        archive.verify(archive.view.best().step, None, "no", failed())  # type: ignore[union-attr]
        reader.refresh()
        assert state(reader) == state(archive)
        with pytest.raises(ArchiveError, match="reading only"):
            reader.record(1, scored(1.0))


def test_closing_again_does_nothing(path: Path) -> None:
    archive = seeded(path)
    archive.close()
    archive.close()
    with pytest.raises(ArchiveError, match="closed"):
        archive.note("late")
