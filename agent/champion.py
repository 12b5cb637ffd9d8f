"""A best entry is called champion once it was judged again: strictly, in a fresh box, with audit inputs."""

from __future__ import annotations

from agent.controller import Controller
from agent.events import Said
from archive.types import Entry

MOST = 10
"""So many entries are tried, best first, until one passes."""


def crowned(controller: Controller) -> Entry | None:
    """Judge the best entry again; quarantine what fails, with the reason, and go on to the next best. The one that passed, if any.

    Raises:
        SandboxError, EngineError, ArchiveError: no candidate is to blame.
    """
    archive = controller.archive
    for _ in range(MOST):
        best = archive.view.best()
        if best is None or archive.verified(best.step) is not None:
            return best
        evaluation = controller.engine.evaluate(controller.job(best.candidate, "audit", fresh=True))
        value, reason = evaluation.value, ""
        if value is None:
            reason = f"judged again in a fresh box it gave no value: {evaluation.outcome}: {evaluation.feedback}"
        elif not controller.problem.secret and controller.problem.better(best.value, value):
            value, reason = (
                None,
                f"judged again in a fresh box it reached {evaluation.value!r} only, not {best.value!r}",
            )
        archive.verify(best.step, value, reason, evaluation)
        if not reason:
            return archive.view.best()
        controller.listener(Said(f"step {best.step} is quarantined: {reason}"))
    return None
