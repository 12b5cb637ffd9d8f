"""Several proposers, each of which has its share of the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.types import Proposal, Proposer, Turn
from archive.types import Selection
from problems.types import Problem


@dataclass(frozen=True)
class Roulette:
    """Draws a proposer by weight, from the turn's own generator: a step always draws the same one."""

    proposers: Sequence[tuple[Proposer, float]]
    """With their weights: not negative, not all zero."""

    def __call__(self, problem: Problem, selection: Selection, turn: Turn) -> Proposal:
        """Raises what the drawn proposer raises, and ValueError where no weight is positive."""
        weights = [weight for _, weight in self.proposers]
        if not weights or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError(f"a roulette needs weights that are not negative, and one that is positive, not {weights}")
        drawn = turn.rng.choices([proposer for proposer, _ in self.proposers], weights)[0]
        return drawn(problem, selection, turn)
