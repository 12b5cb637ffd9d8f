"""The fold: what all rows so far amount to. Kept warm while a run writes, made again from the rows at start.

MAP-Elites on a grid (Mouret and Clune 2015, section 3): an entry takes its cell where the cell is empty or its value
beats the one that is there.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias, overload

from archive.types import ArchiveError, Entry, Judged, Run
from problems.types import Axis, Cell

RECENT = 100
"""How many outcomes `View.recent` looks back on."""

Load: TypeAlias = Callable[[int, str], Entry]
"""Fetches the entry of a step under a scoring digest."""


@dataclass
class Island:
    """The elites of an island, in the order in which their cells were first filled."""

    places: dict[Cell, int] = field(default_factory=dict)
    rows: list[Judged] = field(default_factory=list)
    scored: list[tuple[int, float]] = field(default_factory=list)
    """Step and value of every entry, in the order of their rows."""


class Elites(Sequence[Entry]):
    """The elites of an island; each is fetched when it is looked at. It follows the view while that goes on."""

    def __init__(self, rows: Sequence[Judged], entry: Callable[[Judged], Entry]) -> None:
        self._rows, self._entry = rows, entry

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self._entry(row) for row in self._rows[index]]
        return self._entry(self._rows[index])


class View:
    """Elites and outcomes, a function of the evaluation rows up to `last`, the scoring digest, and who is quarantined.

    A row counts if it is of the digest, stage `score`, repeat 0 and of no quarantined step. A step's later row
    replaces an earlier one, but nothing replaces one that scored. The entries come without their artifacts.
    Threads: every method and property takes `lock`; who needs two of them to agree takes it around both.
    """

    def __init__(self, run: Run, load: Load) -> None:
        """Raises ArchiveError where the run's axes, sense or islands cannot be."""
        self.lock = threading.RLock()
        self.axes = _axes(run)
        self._maximize, self._islands, self._load = run.sense == "maximize", run.islands, load
        self.chance = run.seed
        """The run's seed: chance is a function of it and of its place."""
        self.epoch = 0
        """How often everything was forgotten: what was derived from an earlier epoch is void."""
        self.reset(run.digest, frozenset(), 0)

    def reset(self, digest: str, quarantined: frozenset[int], verification: int) -> None:
        """Forget every row; from now on count by this digest and without the quarantined steps."""
        with self.lock:
            self.digest, self.quarantined, self.verification = digest, quarantined, verification
            self.last = 0
            self.epoch += 1
            self._ends: dict[int, str] = {}
            self._counts: Counter[str] = Counter()
            self._grid = [Island() for _ in range(self._islands)]
            self._cells: set[Cell] = set()
            self._best: Judged | None = None
            self._entries: dict[int, Entry] = {}

    def apply(self, row: Judged) -> None:
        """Take in the next row; rows come in ascending order. Raises ArchiveError where it came before or cannot be."""
        with self.lock:
            if row.row <= self.last:
                raise ArchiveError(f"evaluation row {row.row} came after row {self.last}; rows are applied in order")
            self.last = row.row
            if row.digest == self.digest and row.stage == "score" and row.repeat == 0:
                try:
                    self._count(row)
                except ArchiveError as error:
                    raise ArchiveError(f"evaluation row {row.row}, of step {row.step}: {error}") from error

    def _count(self, row: Judged) -> None:
        earlier = self._ends.get(row.step)
        if earlier == "scored":
            return
        if earlier is not None:
            del self._ends[row.step]
            self._counts -= Counter([earlier])
        self._ends[row.step] = row.outcome
        self._counts[row.outcome] += 1
        if row.value is not None and row.step not in self.quarantined:
            self._contest(row, row.value)

    def _contest(self, row: Judged, value: float) -> None:
        cell = self.cell(row.measures)
        for island in self._grid if row.step == 0 else [self._grid[row.island % self._islands]]:
            island.scored.append((row.step, value))
            place = island.places.get(cell)
            if place is None:
                island.places[cell] = len(island.rows)
                island.rows.append(row)
            elif self._beats(value, island.rows[place]):
                self._entries.pop(island.rows[place].step, None)
                island.rows[place] = row
        self._cells.add(cell)
        if self._best is None or self._beats(value, self._best):
            self._best = row

    def takes(self, island: int, value: float, measures: Mapping[str, float]) -> bool:
        """Whether an entry with this value would take a cell of the island now, or be the best."""
        with self.lock:
            held = self._grid[island % self._islands]
            place = held.places.get(self.cell(measures))
            if place is None or self._best is None:
                return True
            return self._beats(value, held.rows[place]) or self._beats(value, self._best)

    def holds(self, step: int) -> bool:
        """Whether a step's entry is an elite now."""
        with self.lock:
            return any(row.step == step for island in self._grid for row in island.rows)

    def better(self, value: float, than: float) -> bool:
        """Whether one value beats another; equal values do not."""
        return value > than if self._maximize else value < than

    def _beats(self, value: float, other: Judged) -> bool:
        return other.value is not None and self.better(value, other.value)

    def cell(self, measures: Mapping[str, float]) -> Cell:
        """The cell that measures belong to. Raises ArchiveError where one is missing or not finite."""
        for axis in self.axes:
            measure = measures.get(axis.name)
            if measure is None or not math.isfinite(measure):
                raise ArchiveError(f"the measure {axis.name!r} must be a finite number, not {measure!r}")
        return tuple(axis.bin(measures[axis.name]) for axis in self.axes)

    def _entry(self, row: Judged) -> Entry:
        with self.lock:
            entry = self._entries.get(row.step)
            if entry is None:
                entry = self._entries[row.step] = self._load(row.step, row.digest)
            return entry

    def elites(self, island: int) -> Sequence[Entry]:
        """The elites of an island, by when their cell was first filled. O(1): each is fetched when looked at."""
        with self.lock:
            return Elites(self._grid[island].rows, self._entry)

    def scored(self, island: int) -> Sequence[tuple[int, float]]:
        """Step and value of every entry of an island, in the order of their rows. O(1); it grows while the view goes on."""
        with self.lock:
            return self._grid[island].scored

    def entry(self, step: int) -> Entry:
        """Any entry, elite or not. Raises ArchiveError where there is none."""
        with self.lock:
            return self._entries.get(step) or self._load(step, self.digest)

    def best(self) -> Entry | None:
        """The best entry of all islands, the earliest row among equals; the quarantined are passed over."""
        with self.lock:
            return None if self._best is None else self._entry(self._best)

    @property
    def seed(self) -> Entry:
        """Step 0. Raises ArchiveError where it is not judged yet."""
        with self.lock:
            if 0 not in self._ends:
                raise ArchiveError("the seed (step 0) is not judged yet: nothing can be drawn before it is")
            entry = self._entries.get(0)
            if entry is None:
                entry = self._entries[0] = self._load(0, self.digest)
            return entry

    @property
    def outcomes(self) -> Counter[str]:
        """How many steps ended how."""
        with self.lock:
            return self._counts.copy()

    @property
    def recent(self) -> deque[str]:
        """The outcomes of the 100 steps judged last, the newest at the right."""
        with self.lock:
            return deque(reversed([*islice(reversed(self._ends.values()), RECENT)]))

    def filled(self, island: int | None = None) -> int:
        """How many cells are filled: of an island, or in any."""
        with self.lock:
            return len(self._cells) if island is None else len(self._grid[island].rows)


def _axes(run: Run) -> tuple[Axis, ...]:
    if run.sense not in ("maximize", "minimize") or run.islands < 1:
        raise ArchiveError(f"the run has sense {run.sense!r} and {run.islands} islands: the file is not sound")
    try:
        axes = tuple(Axis(str(a["name"]), float(a["low"]), float(a["high"]), int(a["bins"])) for a in run.axes)
    except (KeyError, ValueError, OverflowError) as error:
        raise ArchiveError(f"an axis of the run lacks {error}: the file is not sound") from error
    for axis in axes:
        if not (axis.bins >= 1 and math.isfinite(axis.low) and math.isfinite(axis.high) and axis.low < axis.high):
            raise ArchiveError(f"the axis {axis} of the run has no range or no bins")
    return axes
