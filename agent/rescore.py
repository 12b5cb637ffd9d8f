"""Judges every stored candidate by the scorer as it now is, then switches the file to it with one row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from agent.controller import RunError
from agent.events import Finished, Listener
from archive.store import Archive
from evaluators.types import Engine, Job, Reference


@dataclass(frozen=True)
class Rescore:
    """A re-scoring that may be interrupted and begun again: what is judged stays judged."""

    archive: Archive
    reference: Reference
    digest: str
    """The digest of the scorer as it now is."""
    engine: Engine
    listener: Listener

    def run(self, evaluations: int) -> int:
        """Judge what is not judged under the new digest, so many at a time; how many that were.

        Raises:
            RunError: the new scorer gives the seed no value; the file stays with the old one.
            SandboxError, EngineError, ArchiveError: no candidate is to blame; what was judged stays.
        """
        waiting = list(self.archive.unscored(self.digest))
        if waiting and waiting[0] == 0:
            self._judge(waiting.pop(0))
        with ThreadPoolExecutor(evaluations, "rescore") as pool:
            judged = sum(1 for _ in pool.map(self._judge, waiting))
        self.archive.switch(self.digest)
        return judged

    def _judge(self, step: int) -> None:
        run, candidate = self.archive.run, self.archive.candidate(step)
        if candidate is None:
            raise RunError(
                f"step {step} of {self.archive.path} has an evaluation but no candidate: `elites check-run` tells more"
            )
        job = Job(self.reference, self.digest, candidate.files, seed=run.seed, salt=run.salt)
        evaluation = self.engine.evaluate(job)
        if step == 0 and evaluation.outcome != "scored":
            raise RunError(f"the new scorer gives the seed no value: {evaluation.outcome}: {evaluation.feedback}")
        self.archive.record(step, replace(evaluation, digest=self.digest))
        self.listener(Finished(step, evaluation))
