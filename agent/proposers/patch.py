"""Changes to the parent as SEARCH/REPLACE blocks (AlphaEvolve, arXiv 2506.13131, section 2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from agent.proposers.asking import asked
from agent.replies import patched
from agent.types import Model, Proposal, Turn
from archive.types import Selection
from problems.types import Problem


@dataclass(frozen=True)
class Patch:
    """Asks a model to change parts of the parent."""

    model: Model

    def __call__(self, problem: Problem, selection: Selection, turn: Turn) -> Proposal:
        """Raises NoProgram after two replies without a program, and whatever `turn.ask` raises."""
        return asked(self.model, "patch", patched, (problem, selection), turn)
