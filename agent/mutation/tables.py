"""The values of tables: what stands in them is changed, the program around them stays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TypeAlias

from agent.mutation.folding import like
from agent.mutation.tree import Place, Tree, is_table

Tables: TypeAlias = Mapping[str, str]
"""The source of each changed table, by its name; empty where an operator finds no place to act."""

SMALLEST, LARGEST = -3.0, -1.1
"""The decimal logarithm of how far a value of a table moves, at least and at most, relative to the table's reach or in units."""
LONGEST = 36
"""Values of the longest table that is made."""


def change_table(tree: Tree, partner: Tree, rng: Random) -> Tables:
    """One or two other values in a table: near what they were, swapped, alike, or anywhere within its reach."""
    if not tree.tables:
        return {}
    place = rng.choice(tree.tables)
    values = tree.table(place)
    i, j = rng.sample(range(len(values)), 2)
    chance = rng.random()
    if chance < 0.05:
        values[i], values[j] = values[j], values[i]
    elif chance < 0.1:
        values[i] = values[j]
    elif chance < 0.17:
        values[i] = min(values) + rng.random() * reach_of(values)
    else:
        step = stride(values, rng)
        for k in (i,) if chance < 0.7 else (i, j):
            values[k] += rng.gauss(0, step)
    return _written(tree, [(place, values)])


def change_group(tree: Tree, partner: Tree, rng: Random) -> Tables:
    """Many values of a table at once: all in proportion, those that are close, all beyond a point, or every so many-th."""
    if not tree.tables:
        return {}
    place = rng.choice(tree.tables)
    values = tree.table(place)
    reach, pivot, chance = reach_of(values), rng.choice(values), rng.random()
    shift = rng.gauss(0, stride(values, rng))
    close = reach * rng.choice((0.02, 0.06, 0.12, 0.25))
    if chance < 0.4:
        factor = math.exp(rng.gauss(0, 10 ** rng.uniform(-1.8, 0.3)))
        values = [value * factor for value in values]
    elif chance < 0.6:
        values = [value + shift if abs(value - pivot) <= close else value for value in values]
    elif chance < 0.7:
        values = [pivot + shift if abs(value - pivot) <= close else value for value in values]
    elif chance < 0.8:
        side = rng.choice((-1, 1))
        values = [value + shift if side * (value - pivot) >= 0 else value for value in values]
    elif chance < 0.9:
        values = [pivot + (1 + shift / reach) * (value - pivot) for value in values]
    else:
        for k in together(len(values), rng):
            values[k] += shift
    return _written(tree, [(place, values)])


def change_row(tree: Tree, partner: Tree, rng: Random) -> Tables:
    """What one turn of a loop, or some in a row, find in some of its tables: moved a little, or put anywhere
    within their reach and a little beyond."""
    found = [(place, *digit(lookup(place, tree)), tree.table(place)) for place in tree.tables]
    loops = [place.scope.counters for place, base, _, _ in found if base]
    if not loops:
        return {}
    chosen = rng.choice(loops)  # the counters of one loop count alike
    alike = [(place, each, values) for place, base, each, values in found if base and place.scope.counters == chosen]
    turn, turns = rng.randrange(max(len(values) * each for _, each, values in alike)), 1
    size, anywhere = 10 ** rng.uniform(SMALLEST, LARGEST), rng.random() < 0.1
    if not anywhere and rng.random() < 0.1:
        turns = rng.randint(2, 8)
    changed = []
    for place, each, values in rng.sample(alike, rng.randint(1, len(alike))):
        low, reach = min(values), reach_of(values)
        shift = rng.gauss(0, size * (reach if rng.random() < 0.3 else 1.0))
        for k in {k // each % len(values) for k in range(turn, turn + turns)}:
            values[k] = low + reach * rng.uniform(-0.25, 1.25) if anywhere else values[k] + shift
        changed.append((place, values))
    return _written(tree, changed)


def mix_tables(tree: Tree, partner: Tree, rng: Random) -> Tables:
    """A table whose values are partly those of a partner's table of the same length."""
    if not tree.tables:
        return {}
    place = rng.choice(tree.tables)
    ours = tree.table(place)
    alike = [theirs for other in partner.tables if len(theirs := partner.table(other)) == len(ours)]
    if not alike:
        return {}
    theirs = rng.choice(alike)
    low, high = sorted((rng.randrange(len(ours)), rng.randrange(len(ours))))
    return _written(tree, [(place, ours[:low] + theirs[low : high + 1] + ours[high + 1 :])])


def mix_rows(tree: Tree, partner: Tree, rng: Random) -> Tables:
    """What some turns of a loop find in their tables is as in the partner, in all tables that both have."""
    low, high = sorted((rng.randrange(LONGEST), rng.randrange(LONGEST)))
    changed = []
    for place, ours, theirs in _shared(tree, partner):
        _, each = digit(lookup(place, tree))
        for turn in range(low, high + 1):
            k = turn // each % len(ours)
            ours[k] = theirs[k]
        changed.append((place, ours))
    return _written(tree, changed)


def along(tree: Tree, partner: Tree, rng: Random) -> Tables:
    """All values of the tables that both have are moved along the line through the two programs.

    Vassiliades and Mouret, "Discovering the Elite Hypervolume by Leveraging Interspecies Correlation", GECCO 2018.
    """
    weight = rng.gauss(0, rng.choice((0.1, 0.4, 1.0)))
    moved = [
        (place, [a + weight * (b - a) for a, b in zip(ours, theirs, strict=True)])
        for place, ours, theirs in _shared(tree, partner)
    ]  # fmt: skip
    return _written(tree, moved)


def _written(tree: Tree, changed: Sequence[tuple[Place, list[float]]]) -> Tables:
    """The sources of the changed tables; none where a value is no finite number or nothing differs."""
    if not all(math.isfinite(value) for _, values in changed for value in values):
        return {}
    named = [(tree.name(place), values) for place, values in changed]
    new = {name: like(tree.sources[name], values) for name, values in named}
    return {name: source for name, source in new.items() if source != tree.sources[name]}


def _shared(tree: Tree, partner: Tree) -> Iterator[tuple[Place, list[float], list[float]]]:
    """The tables that both programs have at the same place and of the same length."""
    for place in tree.tables:
        other = partner.at(place)
        if other is None or not is_table(other):
            continue
        ours, theirs = tree.table(place), partner.table(Place(place.path, other, place.scope, place.role))
        if len(theirs) == len(ours):
            yield place, ours, theirs


def together(length: int, rng: Random) -> range:
    """A run of places in a table, or every so many-th of them."""
    first, step = rng.randrange(length), rng.choice((1, 1, 2, 3, 4, 5, 6))
    return range(first, length if step > 1 else min(length, first + rng.randint(2, 8)), step)


def reach_of(values: list[float]) -> float:
    """How far apart the values of a table lie; where they lie together, their size, or a tenth."""
    return max(values) - min(values) or abs(values[0]) or 0.1


def stride(values: list[float], rng: Random) -> float:
    """How far a value of a table moves: on any scale, relative to the table's reach or in units."""
    return float(10 ** rng.uniform(SMALLEST, LARGEST)) * (reach_of(values) if rng.random() < 0.5 else 1.0)


def digit(counter: str) -> tuple[str, int]:
    """`counter // each` as (counter, each)."""
    base, _, each = counter.rpartition(" // ")
    return (base, int(each)) if base and each.isdigit() and int(each) > 0 else (counter, 1)


def lookup(place: Place, tree: Tree) -> str:
    """What a table is looked up by, before the modulo of its length; empty where it is looked up otherwise."""
    index = tree.index_of(place)
    counter, _, length = index.rpartition(" % ")
    return counter if length == str(len(tree.table(place))) else ""
