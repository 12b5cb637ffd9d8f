"""Asking a model for a program, and once more where none came."""

from __future__ import annotations

from collections.abc import Callable

from agent.prompts.prompts import Form, again, proposal
from agent.replies import remark
from agent.types import Model, NoProgram, Proposal, Turn
from archive.types import Selection
from problems.types import Problem
from sandboxes.types import Files

HISTORY = 100_000
"""Characters of a reply that is sent back with the second question."""


def asked(model: Model, form: Form, read: Callable[[str, Files], Files], case: tuple[Problem, Selection], turn: Turn) -> Proposal:
    """What a model proposes.

    Raises:
        NoProgram: two replies, and no program; the text has the second reason.
        ModelError, BudgetSpent: whatever `turn.ask` raises.
    """
    problem, selection = case
    messages = proposal(problem, selection, form)
    reply = turn.ask(model, messages, form).text
    try:
        files = read(reply, selection.parent.files)
    except NoProgram as reason:
        second = again(messages, reply[:HISTORY], str(reason), form)
        reply = turn.ask(model, second, f"{form} again").text
        files = read(reply, selection.parent.files)
    return Proposal(files, f"{form}:{model.name}", remark(reply))
