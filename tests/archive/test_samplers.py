from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from archive.islands import place
from archive.samplers import SAMPLERS, Annealed, Fitness, Greedy, SeedOnly, Uniform, drawing
from archive.store import Archive
from archive.types import ArchiveError, Sampler
from tests.archive.helpers import RUN, scored, seeded, step


@pytest.fixture
def archive(tmp_path: Path):  # type: ignore[no-untyped-def]
    archive = seeded(tmp_path / "run.db")
    for number in range(1, 13):
        step(archive, number, scored(number / 10, (number % 3) / 3 + 0.1, (number % 4) / 2 - 1))
    yield archive
    archive.close()


def test_islands_take_turns_and_learn_from_the_one_before() -> None:
    homes = [place(number, 3, 2) for number in range(1, 13)]
    assert [home for home, _ in homes] == [0, 1, 2] * 4
    assert [source for _, source in homes] == [0, 1, 2, 2, 0, 1, 0, 1, 2, 2, 0, 1]
    assert all(place(number, 1, 2) == (0, 0) for number in range(1, 10))
    assert all(place(number, 3, 0)[0] == place(number, 3, 0)[1] for number in range(1, 10))
    with pytest.raises(ValueError, match="step 0"):
        place(0, 3, 2)


@pytest.mark.parametrize("sampler", [Uniform(3), Fitness(3, 4), Greedy(3), SeedOnly(), Annealed(3)])
def test_a_selection_is_a_function_of_view_and_generator(archive: Archive, sampler: Sampler) -> None:
    for number in range(50):
        one = sampler(archive.view, number % 2, Random(number))
        assert one == sampler(archive.view, number % 2, Random(number))
        steps = [one.parent.step, *(entry.step for entry in one.inspirations)]
        assert len(set(steps)) == len(steps) <= 4


def test_uniform_reaches_every_elite_of_the_island_alike(archive: Archive) -> None:
    elites = {entry.step for entry in archive.view.elites(0)}
    picks = [Uniform(0)(archive.view, 0, Random(number)).parent.step for number in range(2000)]
    assert set(picks) == elites
    assert max(map(picks.count, elites)) < 2 * min(map(picks.count, elites))


def test_fitness_prefers_the_better(archive: Archive) -> None:
    ranked = sorted(archive.view.elites(0), key=lambda entry: entry.value)
    picks = [Fitness(0)(archive.view, 0, Random(number)).parent.step for number in range(2000)]
    best, n = picks.count(ranked[-1].step) / 2000, len(ranked)
    assert best == pytest.approx(1 - (1 - 1 / n) ** 3, abs=0.05)
    assert picks.count(ranked[0].step) < picks.count(ranked[-1].step)


def test_greedy_takes_the_best_and_the_baseline_the_seed(archive: Archive) -> None:
    best = archive.view.best()
    assert Greedy()(archive.view, 0, Random(1)).parent == best
    assert SeedOnly()(archive.view, 1, Random(1)).parent.step == 0


def test_an_island_without_elites_gives_the_seed(tmp_path: Path) -> None:
    archive = seeded(tmp_path / "empty.db")
    archive.verify(0, None, "no good", scored(1.0))
    for make in SAMPLERS.values():
        assert make()(archive.view, 0, Random(1)).parent.step == 0
    archive.close()


def test_nothing_is_drawn_before_the_seed(tmp_path: Path) -> None:
    archive = Archive.create(tmp_path / "new.db", RUN)
    with pytest.raises(ArchiveError, match="seed"):
        archive.begin(1, drawing(RUN, Uniform(), 1))
    assert archive.rows() == []
    archive.close()


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="inspirations"):
        Uniform(-1)
    with pytest.raises(ValueError, match="pressure"):
        Fitness(pressure=0)


def walked(archive: Archive, annealed: Annealed) -> int:
    """Where the walk of the first island stands."""
    return annealed(archive.view, 0, Random(1)).parent.step


def test_a_cold_walk_only_climbs_and_a_hot_one_goes_anywhere(tmp_path: Path) -> None:
    archive = seeded(tmp_path / "walk.db")
    cold, hot = Annealed(share=1, temperature=1e-9), Annealed(share=1, temperature=1e9)
    stood = {"cold": [], "hot": []}  # type: ignore[var-annotated]
    for number, value in enumerate([1.5, 1.3, 1.3, 1.9, 1.1, 1.9, 1.8], 1):
        step(archive, 2 * number - 1, scored(value, 0.5, 0.0))
        stood["cold"].append(walked(archive, cold))
        stood["hot"].append(walked(archive, hot))
    assert stood["cold"] == [1, 1, 1, 7, 7, 7, 7], "it goes to what is better, never where nothing changes"
    assert stood["hot"] == [1, 3, 3, 7, 9, 11, 13]
    archive.close()


def test_where_a_walk_stands_is_a_function_of_the_rows(archive: Archive) -> None:
    followed, fresh = Annealed(share=1, temperature=0.5), Annealed(share=1, temperature=0.5)
    for number in range(13, 40):
        step(archive, number, scored((number * 37 % 11) / 10 + 0.1, 0.5, 0.0))
        walked(archive, followed)
    assert walked(archive, followed) == walked(archive, fresh)


@pytest.mark.parametrize("wrong", [{"share": 2}, {"temperature": 0}, {"cooling": -1}, {"decline": 1}, {"inspirations": -1}])
def test_an_annealer_refuses_what_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|above 0"):
        Annealed(**wrong)  # type: ignore[arg-type]
