"""Heuristics, judged by what they do on instances that they have never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Literal, TypeAlias

import numpy as np

from evaluators.parsing import floats
from evaluators.types import Evaluator, Score
from sandboxes.types import Program

Family: TypeAlias = Literal["uniform", "weibull"]

CAPACITY: dict[Family, int] = {"uniform": 150, "weibull": 100}


def online_bin_packing(family: Family = "uniform", items: int = 250, instances: int = 4) -> Evaluator:
    """Judges `priority(item, bins)`, which places items one at a time, knowing nothing of those to come.

    The task is that of Romera-Paredes et al., "Mathematical discoveries from program search with large language
    models", Nature 625 (2024), section "Bin packing". For each item the program sees the space left in every open bin
    that it fits into, in the order of opening, then that of one empty bin; the item goes where the priority is highest,
    among equals to the first. Where it fits into no open bin, nothing is asked. The instances come from the evaluator's
    generator alone.

    Args:
        family: `uniform`, whole sizes 20 … 100 and capacity 150 as in OR-Library; `weibull`, Weibull(45, 3) rounded to
            1 … 100 and capacity 100.
        items: how many items an instance has.
        instances: how many instances are packed.

    The value is the mean, over the instances, of the bins used beyond the lower bound L2 of Martello and Toth ("Lower
    bounds and reduction procedures for the bin packing problem", 1990), in percent of that bound. The artifact has each
    instance's. Measures: `tightest`, the share of choices that took the fullest bin; `opened`, that of choices that
    opened a bin without need.

    Raises (the evaluator):
        Invalid: a reply that is not one finite number for each bin.
    """
    capacity = CAPACITY[family]

    def score(program: Program, rng: Random) -> Score:
        excesses: list[Fraction] = []
        tally = Tally()
        for _ in range(instances):
            sizes = draw(family, items, rng)
            bound = lower_bound(sizes, capacity)
            used = pack(program, sizes, capacity, tally)
            excesses.append(Fraction(100 * (used - bound), bound))
        return _summed(excesses, tally)

    return score


def _summed(excesses: list[Fraction], tally: Tally) -> Score:
    mean = float(sum(excesses) / len(excesses))
    measures = {"tightest": tally.share(tally.tightest), "opened": tally.share(tally.opened)}
    told = (
        f"{mean:.2f} % more bins than the lower bound; {measures['tightest']:.0%} of choices took the fullest bin, "
        f"{measures['opened']:.0%} opened a bin without need."
    )
    return Score(mean, measures, told, {"excess_percent": [float(excess) for excess in excesses]}, told)


@dataclass
class Tally:
    """What a heuristic chose, counted over all of its choices."""

    choices: int = 0
    tightest: int = 0
    opened: int = 0

    def share(self, count: int) -> float:
        """The share of all choices; 0 where there was none."""
        return count / self.choices if self.choices else 0.0


@dataclass
class Bins:
    """Open bins, by the space left, in the order of opening."""

    capacity: int
    left: list[int] = field(default_factory=list)

    def fitting(self, item: int) -> list[int]:
        """The indices of open bins that the item fits into."""
        return [index for index, space in enumerate(self.left) if space >= item]

    def place(self, item: int, index: int | None) -> None:
        """Put the item into an open bin, or into a new one."""
        if index is None:
            self.left.append(self.capacity - item)
        else:
            self.left[index] -= item


def pack(program: Program, sizes: Sequence[int], capacity: int, tally: Tally) -> int:
    """How many bins the program's priorities use for the items, in this order; its choices are added to the tally."""
    bins = Bins(capacity)
    for item in sizes:
        fitting = bins.fitting(item)
        if not fitting:
            bins.place(item, None)
            continue
        spaces = [bins.left[index] for index in fitting] + [capacity]
        reply = program.call("priority", float(item), np.array(spaces, dtype=np.float64))
        choice = int(np.argmax(floats(reply, len(spaces), name="what priority(item, bins) returns")))
        tally.choices += 1
        tally.tightest += spaces[choice] == min(spaces)
        tally.opened += choice == len(fitting)
        bins.place(item, None if choice == len(fitting) else fitting[choice])
    return len(bins.left)


def draw(family: Family, items: int, rng: Random) -> list[int]:
    """The sizes of an instance's items."""
    if family == "uniform":
        return [rng.randint(20, 100) for _ in range(items)]
    return [min(max(round(rng.weibullvariate(45, 3)), 1), 100) for _ in range(items)]


def lower_bound(sizes: Sequence[int], capacity: int) -> int:
    """L2 of Martello and Toth (1990): no packing of these items, even offline, uses fewer bins.

    For a threshold t, items above capacity - t share a bin with nothing of size t or more, items above half share none
    with each other, and what is left of their bins bounds how much of the other items of size t or more they can take.
    """
    best = -(-sum(sizes) // capacity)
    for threshold in sorted({size for size in sizes if 2 * size <= capacity}):
        huge = [size for size in sizes if size > capacity - threshold]
        large = [size for size in sizes if 2 * size > capacity and size <= capacity - threshold]
        small = [size for size in sizes if threshold <= size and 2 * size <= capacity]
        overflow = sum(small) - (len(large) * capacity - sum(large))
        best = max(best, len(huge) + len(large) + max(0, -(-overflow // capacity)))
    return max(best, sum(1 for size in sizes if 2 * size > capacity))
