"""What a problem is: it states the task and binds an evaluator to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from evaluators.types import Evaluator, Score, Scoring, Sense
from sandboxes.types import MAIN, Data, Files, Needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell: TypeAlias = tuple[int, ...]
"""A cell of the map: the bin on each axis."""


@dataclass(frozen=True)
class Axis:
    """A dimension of the map, fixed by the problem, so that a cell is a pure function of the measures."""

    name: str
    low: float
    high: float
    bins: int

    def bin(self, measure: float) -> int:
        """The bin of a finite measure; what lies outside the range belongs to the first or last bin."""
        place = math.floor((measure - self.low) / (self.high - self.low) * self.bins)
        return min(max(place, 0), self.bins - 1)


@dataclass(frozen=True)
class Record:
    """A value that somebody reached, with its source."""

    value: float
    who: str
    source: str


@dataclass(frozen=True)
class Problem:
    """Something worth discovering. A problem folder's `problem.py` defines `PROBLEM`, or a function `problem(...)`."""

    name: str
    statement: str
    """For the model and the reader."""
    seed: Files
    """The program that the search starts from."""
    score: Evaluator
    sense: Sense = "maximize"
    axes: tuple[Axis, ...] = ()
    """The map; without axes, all programs contest one cell."""
    needs: Needs = Needs()
    scoring: Scoring = Scoring()
    secret: bool = False
    """The scorer draws hidden inputs from the run's salt. Nothing that a program says is passed on, and of the scorer's words
    only what it declares to be `told`: in a `Score`, in `Invalid`, in `require`."""
    records: tuple[Record, ...] = ()
    bound: float | None = None
    """What no value can pass: passing it is the scorer's fault."""
    plot: Callable[[Data], Figure] | None = None
    """Draws an artifact."""
    screen: Callable[[Files], str | None] | None = None
    """Says why a program is not worth running, before it is."""
    key: Callable[[Files], str] | None = None
    """A normalised identity of files; by default that of the syntax tree of Python files."""
    vary: Callable[[Sequence[Files], Random], Files] | None = None
    """The problem's own mutation and crossover; by default that of Python source."""
    parameters: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """Set by the loader from what was asked for, defaults included."""

    def better(self, value: float, than: float) -> bool:
        """Whether one value beats another; equal values do not."""
        return value > than if self.sense == "maximize" else value < than

    def cell(self, measures: Mapping[str, float]) -> Cell:
        """The cell that measures belong to."""
        return tuple(axis.bin(measures[axis.name]) for axis in self.axes)

    def checked(self, score: Score) -> Score:
        """The score, if it can be one. Raises ValueError, saying what is wrong with the scorer."""
        if type(score.value) not in (int, float) or not math.isfinite(score.value):
            raise ValueError(f"the value must be a finite int or float, not {score.value!r}")
        for axis in self.axes:
            measure = score.measures.get(axis.name)
            if measure is None or not math.isfinite(measure):
                raise ValueError(f"the measure {axis.name!r} must be a finite number, not {measure!r}")
        if self.bound is not None and self.better(score.value, self.bound):
            raise ValueError(f"the value {score.value!r} passes the proved bound {self.bound!r}: the scorer is wrong")
        return score


def beside(file: str, *names: str) -> Files:
    """The text of files beside a module, the first one as `program.py`: `beside(__file__, "seed.py")`."""
    folder = Path(file).parent
    return {MAIN if i == 0 else name: (folder / name).read_text("utf-8") for i, name in enumerate(names)}
