"""Walks through the entries of an island, for samplers: where they stand is a function of the rows and the run's seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from archive.fold import View
from archive.types import Entry


@dataclass(frozen=True)
class Schedule:
    """How warm walks are, and how many of them go on for how long; as `samplers.Annealed` has it."""

    temperature: float
    cooling: float
    walks: int
    trial: int


@dataclass
class Walk:
    """Where a walk stands, and what it has been through."""

    step: int
    value: float
    looked: int = 0
    """Entries that it has looked at."""
    trail: set[int] = field(default_factory=set)
    """The steps where it has stood."""

    def goes(self, view: View, step: int, value: float, schedule: Schedule) -> bool:
        """Whether it goes to an entry that it looks at."""
        if value == self.value:
            return _length(view.entry(step)) < _length(view.entry(self.step))
        loss = abs(value - self.value) * view.better(self.value, value)
        warmth = schedule.temperature * abs(self.value) / (1 + self.looked / schedule.cooling)
        return loss <= warmth * Random(f"{view.chance}/{step}/accept").expovariate(1)

    def go(self, step: int, value: float) -> None:
        """Stand at another entry."""
        self.step, self.value = step, value
        self.trail.add(step)


class Walks:
    """The walks of an island: `look` takes every further row."""

    def __init__(self, view: View, schedule: Schedule, first: tuple[int, float]) -> None:
        """Everything begins at the first entry of the island, the seed."""
        self.epoch, self.looked = view.epoch, 1
        self._schedule, self._first = schedule, first
        self._walks = [self._begun()]
        self._left = schedule.walks
        """How many walks there are to be at the end of the round."""

    def _begun(self) -> Walk:
        step, value = self._first
        return Walk(step, value, trail={step})

    def turn(self) -> Walk:
        """Whose turn it is: the walk that began last, until all have begun; then each in turn."""
        rounds = self._schedule.walks * self._schedule.trial
        return self._walks[-1] if self.looked < rounds else self._walks[self.looked % len(self._walks)]

    def look(self, view: View, step: int, value: float) -> None:
        """Take the next entry. One walk takes it at most; of several, the one that its parent belongs to."""
        for walk in self._walks if self._left == 1 else self._owners(view, step):
            walk.looked += 1
            if walk.goes(view, step, value, self._schedule):
                walk.go(step, value)
        self.looked += 1
        self._round(view)

    def _owners(self, view: View, step: int) -> list[Walk]:
        parents = view.entry(step).candidate.parents
        return [walk for walk in reversed(self._walks) if parents and parents[0] in walk.trail][:1]

    def _round(self, view: View) -> None:
        """Begin another walk, or give up the worse half, when it is time."""
        schedule = self._schedule
        if self._left == 1 or self.looked % schedule.trial:
            return
        if self.looked % (schedule.walks * schedule.trial):
            if len(self._walks) < schedule.walks and self.looked < schedule.walks * schedule.trial:
                self._walks.append(self._begun())
            return
        self._left = max(1, self._left // 2)
        self._walks.sort(key=lambda walk: walk.value, reverse=view.better(1.0, 0.0))
        del self._walks[self._left :]


def _length(entry: Entry) -> int:
    """Characters of a program."""
    return sum(map(len, entry.files.values()))
