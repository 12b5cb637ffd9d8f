"""Two programs: what stands at the same place in both is exchanged."""

from __future__ import annotations

from random import Random

import libcst as cst

from agent.mutation.expressions import known
from agent.mutation.tree import Tree, code

LOOKS = 24
"""Places that are compared before giving up."""


def exchange(tree: Tree, partner: Tree, rng: Random) -> cst.Module | None:
    """The partner's statement or expression in place of the program's, where both have one and they differ."""
    places = [*tree.statements, *tree.expressions]
    for place in rng.sample(places, min(len(places), LOOKS)):
        other = partner.at(place)
        if other is None or not _alike(place.node, other) or partner.unfolded(code(other)) == tree.unfolded(code(place.node)):
            continue
        if place.role == "statement" or known(other, place):
            return tree.put(place.path, other)
    return None


def _alike(ours: cst.CSTNode, theirs: cst.CSTNode) -> bool:
    if isinstance(ours, cst.BaseExpression):
        return isinstance(theirs, cst.BaseExpression)
    kinds = cst.BaseStatement | cst.SimpleStatementLine
    return isinstance(ours, kinds) and isinstance(theirs, kinds)
