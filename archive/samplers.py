"""Samplers: which elites a step learns from. Each is a pure function of the view and the generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from archive.fold import View
from archive.islands import place
from archive.types import Entry, Run, Sampler, Selection


def drawing(run: Run, sampler: Sampler, step: int) -> Callable[[View], tuple[int, Selection]]:
    """How a step draws: its home island, and what the sampler picks on its source island with
    `Random(f"{seed}/{step}/select")`. For `Archive.begin` and for checking what it did."""

    def draw(view: View) -> tuple[int, Selection]:
        home, source = place(step, run.islands, run.migration)
        return home, sampler(view, source, Random(f"{run.seed}/{step}/select"))

    return draw


@dataclass(frozen=True)
class Uniform:
    """The parent uniform over the elites of the island (MAP-Elites: Mouret and Clune 2015, section 2)."""

    inspirations: int = 2
    """How many others to learn from, uniform as well."""

    def __post_init__(self) -> None:
        _counted(self.inspirations)

    def __call__(self, view: View, island: int, rng: Random) -> Selection:
        elites = view.elites(island)
        if not elites:
            return Selection(view.seed)
        return _with_others(elites, rng.randrange(len(elites)), self.inspirations, rng)


@dataclass(frozen=True)
class Fitness:
    """Weighted by rank: the parent is the best of a few elites drawn uniformly with replacement.

    Tournament selection, Goldberg and Deb 1991, section 5: among n elites, one of the best k is the parent with
    probability 1 - (1 - k/n) ** pressure.
    """

    inspirations: int = 2
    pressure: int = 3
    """The size of the tournament; 1 is uniform."""

    def __post_init__(self) -> None:
        _counted(self.inspirations)
        if self.pressure < 1:
            raise ValueError(f"pressure must be at least 1, not {self.pressure}")

    def __call__(self, view: View, island: int, rng: Random) -> Selection:
        elites = view.elites(island)
        if not elites:
            return Selection(view.seed)
        winner = rng.randrange(len(elites))
        for _ in range(self.pressure - 1):
            rival = rng.randrange(len(elites))
            if view.better(elites[rival].value, elites[winner].value):
                winner = rival
        return _with_others(elites, winner, self.inspirations, rng)


@dataclass(frozen=True)
class SeedOnly:
    """Always the seed: independent variations of it, the baseline of every search."""

    def __call__(self, view: View, island: int, rng: Random) -> Selection:
        return Selection(view.seed)


@dataclass(frozen=True)
class Greedy:
    """A hill climb: the parent is the best entry of all islands."""

    inspirations: int = 2

    def __post_init__(self) -> None:
        _counted(self.inspirations)

    def __call__(self, view: View, island: int, rng: Random) -> Selection:
        best = view.best()
        if best is None:
            return Selection(view.seed)
        elites = view.elites(island)
        drawn = rng.sample(range(len(elites)), min(self.inspirations + 1, len(elites)))
        others = [entry for entry in (elites[i] for i in drawn) if entry.step != best.step]
        return Selection(best, tuple(others[: self.inspirations]))


SAMPLERS: Mapping[str, Callable[..., Sampler]] = {
    "fitness": Fitness,
    "greedy": Greedy,
    "seed_only": SeedOnly,
    "uniform": Uniform,
}
"""By the names that a setting may use."""


def _with_others(elites: Sequence[Entry], parent: int, inspirations: int, rng: Random) -> Selection:
    """The parent with others, all different."""
    drawn = rng.sample(range(len(elites)), min(inspirations + 1, len(elites)))
    others = [i for i in drawn if i != parent][:inspirations]
    return Selection(elites[parent], tuple(elites[i] for i in others))


def _counted(inspirations: int) -> None:
    if inspirations < 0:
        raise ValueError(f"inspirations must be at least 0, not {inspirations}")
