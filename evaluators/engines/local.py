"""Carries evaluations out in this process, with programs in a sandbox."""

from __future__ import annotations

import math
import threading
import traceback
from dataclasses import replace
from random import Random
from typing import Protocol

from evaluators.digest import Judged, scoring_digest
from evaluators.engines.deadline import Attempt, Clocked, ScorerFault, under_deadline
from evaluators.types import EngineError, Evaluation, Invalid, Job, Reference, Score
from sandboxes.types import BoxLost, Needs, ProgramError, Sandbox, SandboxError
from sandboxes.wire import WireError, encode

TRIES = 3
"""How often an evaluation that loses its box or worker is carried out, in all."""
LONGEST = 4000
"""Characters of feedback that are kept."""
ARTIFACT = 64 * 2**20
"""Bytes that an artifact may take."""
WITHHELD = "what the program says is withheld: its inputs are hidden"
UNTOLD = "what came is no solution; why is withheld: its inputs are hidden"
"""A reason that quotes a reply, be it in its shape alone, can tell hundreds of bits of a hidden input."""


class Load(Protocol):
    """Loads a problem from where it comes from."""

    def __call__(self, reference: Reference) -> Judged: ...


class Sandboxed:
    """An engine whose scorers run in this process and whose programs run in `box`. Closing it closes the box."""

    def __init__(self, box: Sandbox, load: Load) -> None:
        self._box = box
        self._load = load
        self._tasks: dict[str, Judged] = {}
        self._loading = threading.Lock()
        self.stuck = False
        """A scorer could not be stopped: its thread still runs in this process."""

    def evaluate(self, job: Job) -> Evaluation:
        """Score one candidate.

        Raises:
            SandboxUnavailable: no program can be run here.
            EngineError: the problem here is not the one that the job was made for.
        """
        task = self._task(job)
        lost: BoxLost | None = None
        for _ in range(TRIES):
            try:
                return self._judge(task, job)
            except BoxLost as error:
                lost = error
        ended = Evaluation("crash", feedback=f"its box was lost {TRIES} times: {lost}", retry=True)
        return self._signed(ended, job, task.needs)

    def warm(self, reference: Reference) -> None:
        """Have a box ready before the first job. Raises SandboxUnavailable."""
        self._box.warm(self._load(reference).needs)

    def close(self) -> None:
        self._box.close()

    def _task(self, job: Job) -> Judged:
        with self._loading:
            if job.digest not in self._tasks:
                task = self._load(job.reference)
                here = scoring_digest(task)
                if here != job.digest:
                    raise EngineError(
                        f"the scorer of {job.reference.name!r} here has the digest {here[:12]}, but the job was made for "
                        f"{job.digest[:12]}: the worker has another version of the code or of its libraries"
                    )
                self._tasks[job.digest] = task
        return self._tasks[job.digest]

    def _judge(self, task: Judged, job: Job) -> Evaluation:
        needs = replace(task.needs, fresh=True) if job.fresh else task.needs
        rng = Random(f"{job.seed}/{job.salt}/{job.stage}/{job.repeat}")
        with self._box.start(job.files, needs, {}, job.start) as program:
            clocked = Clocked(program)
            attempt = under_deadline(
                lambda: _sound(task.checked(task.score(clocked, rng))), task.scoring, clocked.seconds
            )
            if isinstance(attempt.error, SandboxError):
                raise attempt.error
            ended = self._ended(task, attempt)
            if ended.outcome == "scored" and not task.secret and program.printed():
                ended = replace(ended, feedback=f"{ended.feedback}\nIt printed:\n{program.printed()}".strip()[:LONGEST])
            return self._signed(replace(ended, usage=program.usage()), job, needs)

    def _ended(self, task: Judged, attempt: Attempt[Score]) -> Evaluation:
        error, score = attempt.error, attempt.value
        if score is not None and error is None:
            told = score.told if task.secret else score.notes
            return Evaluation("scored", score.value, score.measures, told, score.artifact)
        if isinstance(error, ProgramError):
            return Evaluation(error.kind, feedback=WITHHELD if task.secret else error.text[:LONGEST])
        if isinstance(error, Invalid):
            reason = (error.told or UNTOLD) if task.secret else str(error)
            return Evaluation("invalid", feedback=reason[:LONGEST])
        if isinstance(error, ScorerFault):
            self.stuck = self.stuck or error.stuck
        text = str(error) if isinstance(error, ScorerFault) else "".join(traceback.format_exception(error))
        return Evaluation("scorer", feedback=text[-LONGEST:])

    def _signed(self, ended: Evaluation, job: Job, needs: Needs) -> Evaluation:
        """The evaluation with where, and as which job, it was carried out."""
        return replace(
            ended,
            sandbox=self._box.name,
            isolation="strict" if needs.fresh else self._box.isolation,
            image=self._box.image(needs),
            digest=job.digest,
            stage=job.stage,
            repeat=job.repeat,
        )


def _sound(score: Score) -> Score:
    """The score with plain numbers and bounded notes. Raises ValueError, TypeError where it cannot be."""
    for name, text in (("notes", score.notes), ("told", score.told)):
        if not isinstance(text, str):
            raise TypeError(f"`{name}` must be a string, not {type(text).__name__}")
    measures = {str(name): float(measure) for name, measure in score.measures.items()}
    if not all(map(math.isfinite, measures.values())):
        raise ValueError(f"every measure must be a finite number, not {measures}")
    try:
        encode(score.artifact, ARTIFACT)
    except WireError as error:
        raise ValueError(f"the artifact cannot be kept: {error}") from error
    notes, told = (text.encode(errors="replace").decode()[:LONGEST] for text in (score.notes, score.told))
    return replace(score, value=float(score.value), measures=measures, notes=notes, told=told)
