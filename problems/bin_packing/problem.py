"""Place items into bins online, so that as few bins as possible are used.

Items arrive one at a time and are placed at once and for good; nothing is known of those to come. Write
`priority(item, bins)`: `item` is the size of the next item, `bins` a numpy array with the space left in each bin that
it fits into, open bins first, in the order of their opening, and one empty bin last. Return one finite number for
each entry of `bins`: the item goes where the number is highest, among equals to the first. Where the item fits into
no open bin, a new one is opened and nothing is asked.

The value, to be made small, is the mean excess over hidden instances: the bins used beyond a lower bound of the best
possible packing, in percent of that bound. With `family=uniform` sizes are whole numbers, equally likely from 20 to
100, and a bin holds 150; with `family=weibull` they follow Weibull(45, 3), rounded to 1 … 100, and a bin holds 100.
"""

from __future__ import annotations

from evaluators import heuristics
from problems.types import Axis, Problem, Record, beside
from sandboxes.types import Needs

FUNSEARCH = "Romera-Paredes et al., Nature 625 (2024), table 1: https://doi.org/10.1038/s41586-023-06924-6"

RECORDS: dict[heuristics.Family, tuple[Record, ...]] = {
    "uniform": (
        Record(4.19, "FunSearch, on OR-Library's 20 instances of 250 items", FUNSEARCH),
        Record(6.06, "best fit, on the same", FUNSEARCH),
        Record(6.45, "first fit, on the same", FUNSEARCH),
    ),
    "weibull": (
        Record(0.68, "FunSearch, on 5 instances of 5,000 items", FUNSEARCH),
        Record(3.98, "best fit, on the same", FUNSEARCH),
        Record(4.23, "first fit, on the same", FUNSEARCH),
    ),
}
"""On other instances than ours, and the excess falls as instances grow: marks to steer by, not values to beat."""


def problem(family: heuristics.Family = "uniform", items: int = 250, instances: int = 4) -> Problem:
    """Online bin packing on hidden instances of this family and size. Raises ValueError where they make no instance."""
    if family not in RECORDS or items < 1 or instances < 1:
        raise ValueError(f"family is one of {', '.join(RECORDS)}; items and instances are at least 1")
    return Problem(
        name="bin_packing",
        statement=__doc__ or "",
        seed=beside(__file__, "seed.py"),
        score=heuristics.online_bin_packing(family, items, instances),
        sense="minimize",
        axes=(Axis("tightest", 0, 1, 12), Axis("opened", 0, 0.5, 10)),
        needs=Needs(packages=("numpy",), seconds=5),
        secret=True,
        records=RECORDS[family],
        bound=0.0,
    )
