"""Samplers: which elites a step learns from. Each is a pure function of the view and the generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from weakref import WeakKeyDictionary

from archive.fold import View
from archive.islands import place
from archive.types import Entry, Run, Sampler, Selection
from archive.walks import Schedule, Walks


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
class Annealed:
    """Simulated annealing through the entries of an island, beside its elites (Kirkpatrick, Gelatt and Vecchi 1983).

    A walk stands at one entry and looks at further ones in the order of their rows: it goes there if that is better, and if it
    is worse with probability exp(-loss / temperature) (Metropolis et al. 1953, section II). Where the value is the same it goes
    to the shorter program alone: otherwise programs would only grow.

    Which form of program a walk improves is soon settled, and chance has a large part in that. So several walks begin at the
    seed, one after another, and the worse half is given up until one is left (successive halving: Jamieson and Talwalkar 2016,
    section 3). Until then a walk takes no entry whose parent is of another.
    """

    inspirations: int = 2
    share: float = 0.9
    """Of the parents, those that are where the walk stands; the others are elites, the better the likelier."""
    decline: float = 0.8
    """How much less likely each elite is than the next better one."""
    temperature: float = 0.00125
    """At the start, as a share of the magnitude of the value where the walk stands."""
    cooling: float = 5000.0
    """After so many entries that a walk has looked at the temperature is a half, after twice as many a third, and so on."""
    walks: int = 2
    """Walks that begin."""
    trial: int = 1000
    """Entries until the next walk begins; so often `walks` is a round, after which half of the walks are left."""
    _known: WeakKeyDictionary[View, dict[int, Walks]] = field(
        default_factory=WeakKeyDictionary, init=False, repr=False, compare=False
    )
    """Where the walks of each island stood when last asked: what comes after is taken from there."""

    def __post_init__(self) -> None:
        _counted(self.inspirations)
        if not (0 <= self.share <= 1 and 0 <= self.decline < 1 and self.temperature > 0 and self.cooling > 0):
            raise ValueError("share must be between 0 and 1, decline below 1, temperature and cooling above 0")
        if self.walks < 1 or self.trial < 1:
            raise ValueError("walks and trial must be at least 1")

    def __call__(self, view: View, island: int, rng: Random) -> Selection:
        elites = view.elites(island)
        if not elites:
            return Selection(view.seed)
        parent = view.entry(self._stands(view, island)) if rng.random() < self.share else self._elite(view, elites, rng)
        drawn = rng.sample(range(len(elites)), min(self.inspirations + 1, len(elites)))
        others = [entry for entry in (elites[i] for i in drawn) if entry.step != parent.step]
        return Selection(parent, tuple(others[: self.inspirations]))

    def _elite(self, view: View, elites: Sequence[Entry], rng: Random) -> Entry:
        """The elite of a rank that is drawn geometrically, the best first."""
        rank = 0
        while rng.random() < self.decline and rank < len(elites) - 1:
            rank += 1
        ranked = sorted(range(len(elites)), key=lambda i: elites[i].value, reverse=view.better(1.0, 0.0))
        return elites[ranked[rank]]

    def _stands(self, view: View, island: int) -> int:
        """The step whose entry the walk that has its turn stands at, everything scored so far looked at."""
        known = self._known.setdefault(view, {})
        scored = view.scored(island)
        walks = known.get(island)
        if walks is None or walks.epoch != view.epoch:
            schedule = Schedule(self.temperature, self.cooling, self.walks, self.trial)
            walks = known[island] = Walks(view, schedule, scored[0])
        for looked in range(walks.looked, len(scored)):
            walks.look(view, *scored[looked])
        return walks.turn().step


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
    "annealed": Annealed,
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
