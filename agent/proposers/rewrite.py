"""A whole new program instead of changes to the parent."""

from __future__ import annotations

from dataclasses import dataclass

from agent.proposers.asking import asked
from agent.replies import rewritten
from agent.types import Model, Proposal, Turn
from archive.types import Selection
from problems.types import Problem


@dataclass(frozen=True)
class Rewrite:
    """Asks a model to write the program, or its EVOLVE-BLOCKs, anew."""

    model: Model

    def __call__(self, problem: Problem, selection: Selection, turn: Turn) -> Proposal:
        """Raises NoProgram after two replies without a program, and whatever `turn.ask` raises."""
        return asked(self.model, "rewrite", rewritten, (problem, selection), turn)
