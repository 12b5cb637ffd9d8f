"""Two programs: what stands at the same place in both is exchanged or mixed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import libcst as cst

from agent.mutation.constants import LONGEST, digit, lookup, number, written
from agent.mutation.expressions import at, known
from agent.mutation.tree import Place, Tree, code, table

LOOKS = 24
"""Places that are compared before giving up."""


def mix_tables(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """A table whose values are partly those of a partner's table of the same length."""
    if not tree.tables:
        return None
    place = rng.choice(tree.tables)
    ours = table(place.node) or []
    alike = [theirs for other in partner.tables if len(theirs := table(other.node) or []) == len(ours)]
    if not alike:
        return None
    theirs = rng.choice(alike)
    low, high = sorted((rng.randrange(len(ours)), rng.randrange(len(ours))))
    return tree.put(place.path, written(ours[:low] + theirs[low : high + 1] + ours[high + 1 :]))


def mix_rows(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """What some turns of a loop find in their tables is as in the partner, in all tables that both have."""
    low, high = sorted((rng.randrange(LONGEST), rng.randrange(LONGEST)))
    module, changed = tree.module, False
    for place, ours, theirs in _shared(tree, partner):
        _, each = digit(lookup(place, tree))
        mixed = list(ours)
        for turn in range(low, high + 1):
            k = turn // each % len(ours)
            mixed[k] = theirs[k]
        changed = changed or mixed != ours
        module = Tree(module).put(place.path, written(mixed))
    return module if changed else None


def along(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """All numbers that both have are moved along the line through the two programs.

    Vassiliades and Mouret, "Discovering the Elite Hypervolume by Leveraging Interspecies Correlation", GECCO 2018.
    """
    weight = rng.gauss(0, rng.choice((0.1, 0.4, 1.0)))
    module, changed = tree.module, False
    for place, ours, theirs in _shared(tree, partner):
        mixed = [a + weight * (b - a) for a, b in zip(ours, theirs, strict=True)]
        changed = changed or mixed != ours
        module = Tree(module).put(place.path, written(mixed))
    for place in tree.constants:
        other = at(partner, place)
        if not isinstance(place.node, cst.Float) or not isinstance(other, cst.Float) or other.value == place.node.value:
            continue
        mixed_value = float(place.node.value) + weight * (float(other.value) - float(place.node.value))
        module = Tree(module).put(place.path, cst.parse_expression(number(mixed_value)))
        changed = True
    return module if changed else None


def _shared(tree: Tree, partner: Tree) -> Iterator[tuple[Place, list[float], list[float]]]:
    """The tables that both programs have at the same place and of the same length."""
    for place in tree.tables:
        ours, other = table(place.node) or [], at(partner, place)
        theirs = table(other) if other is not None else None
        if theirs is not None and len(theirs) == len(ours):
            yield place, ours, theirs


def exchange(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """The partner's statement or expression in place of the program's, where both have one and they differ."""
    places = [*tree.statements, *tree.expressions]
    for place in rng.sample(places, min(len(places), LOOKS)):
        other = at(partner, place)
        if other is None or not _alike(place.node, other) or code(other) == code(place.node):
            continue
        if place.role == "statement" or known(other, place):
            return tree.put(place.path, other)
    return None


def _alike(ours: cst.CSTNode, theirs: cst.CSTNode) -> bool:
    if isinstance(ours, cst.BaseExpression):
        return isinstance(theirs, cst.BaseExpression)
    kinds = cst.BaseStatement | cst.SimpleStatementLine
    return isinstance(ours, kinds) and isinstance(theirs, kinds)
