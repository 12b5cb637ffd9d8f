"""The loop: draw elites, propose, evaluate, commit; again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from random import Random

from agent.events import Finished, Listener, silent
from agent.identity import identity
from agent.types import Ask, ModelUnavailable, NoProgram, Proposer, Turn, Unproposed
from archive.samplers import drawing
from archive.store import Archive
from archive.types import BudgetSpent, Candidate, Sampler
from evaluators.types import Engine, Evaluation, Job, Outcome, Reference
from problems.types import Problem

IN_A_ROW = 3
"""So many `scorer` outcomes one after another stop the run."""
OF_THE_LAST = 5
"""More `scorer` outcomes than this among the last 100 stop it too."""


LOOK = 0.5
"""Seconds between two looks at whether the user has interrupted."""


class RunError(Exception):
    """The run cannot go on; the text says why and what to do. What was committed stays."""


@dataclass
class Controller:
    """Carries steps out, several at a time. A step is done when its evaluation is committed; nothing else is state."""

    archive: Archive
    reference: Reference
    problem: Problem
    proposer: Proposer
    sampler: Sampler
    engine: Engine
    ask: Callable[[int], Ask]
    """The way to the models, for one step."""
    evaluations: int = 2
    """Programs that run at the same time."""
    proposals: int = 1
    """Steps that are proposed at the same time."""
    listener: Listener = silent
    until: float | None = None
    """The moment (time.monotonic) after which no step is begun."""
    reason: str = "done"
    """Why the last run ended: `done`, `minutes`, `usd` or `interrupted`."""
    why: str = ""
    """Of `usd`: what the next call may cost, and what is left."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set, what is in flight is finished and nothing further is begun."""
    _taking: threading.Lock = field(default_factory=threading.Lock)

    def run(self, steps: Iterator[int]) -> str:
        """Carry the steps out; say why it ended: `done`, `minutes`, `usd` or `interrupted`.

        Raises:
            RunError, ModelError, SandboxError, EngineError, ArchiveError: no candidate is to blame; what was committed stays.
        """
        proposing = threading.Semaphore(self.proposals)
        judging = threading.Semaphore(self.evaluations)

        def work() -> None:
            while (step := self._take(steps)) is not None:
                with proposing:
                    candidate = self._proposed(step)
                if candidate is not None:
                    with judging:
                        self._judged(candidate)

        alone = self.proposals == self.evaluations == 1  # then steps follow one another, and a run repeats exactly
        workers = 1 if alone else self.proposals + self.evaluations
        with ThreadPoolExecutor(workers, "step") as pool:
            first = self._first_fault(lambda: pool.submit(work), workers)
        if isinstance(first, BudgetSpent):
            self.reason, self.why = "usd", str(first)
        elif first is not None and not (self.reason == "interrupted" and isinstance(first, ModelUnavailable)):
            raise first
        return self.reason

    def _first_fault(self, start: Callable[[], Future[None]], workers: int) -> BaseException | None:
        """Start so many and wait until all have ended; the first thing that one raised. Others may fail because that one did."""
        working: list[Future[None]] = []
        try:
            for _ in range(workers):
                working.append(start())  # one by one: an interrupt may come between two
            ended, busy = wait(working, LOOK, FIRST_EXCEPTION)
            while busy and not any(one.exception() for one in ended):  # awake now and then: a signal may have gone to another thread
                ended, busy = wait(working, LOOK, FIRST_EXCEPTION)
        except KeyboardInterrupt:
            self.halt("interrupted")
            ended, _ = wait(working)
        self.stop.set()
        return next((fault for one in ended if (fault := one.exception()) is not None), None)

    def halt(self, reason: str) -> None:
        """Finish what is in flight, begin nothing further. From any thread."""
        self.reason = reason
        self.stop.set()

    def _take(self, steps: Iterator[int]) -> int | None:
        with self._taking:
            if self.stop.is_set():
                return None
            if self.until is not None and time.monotonic() >= self.until:
                self.reason = "minutes"
                return None
            step = next(steps, None)
            if step == 0:
                self._seed()
                step = next(steps, None)
            return step

    def _seed(self) -> None:
        """Step 0. It is committed only with a value: without one, there is nothing to search from."""
        files = self.problem.seed
        candidate = Candidate(0, files, (), "seed", key=identity(self.problem, files))
        evaluation = self.engine.evaluate(self.job(candidate))
        if evaluation.outcome != "scored":
            raise RunError(
                f"problem {self.reference.name!r} does not score its own seed program: "
                f"{evaluation.outcome}: {evaluation.feedback.strip()}\nMend the seed or the scorer; "
                "`elites check PROBLEM` tells more"
            )
        self.archive.add(candidate)
        self._record(0, evaluation)

    def _proposed(self, step: int) -> Candidate | None:
        """The step's candidate, if there is one to be judged; otherwise its end is recorded."""
        known = self.archive.candidate(step)
        if known is None:
            begun, selection = self.archive.begin(step, drawing(self.archive.run, self.sampler, step))
            turn = Turn(step, Random(f"{self.archive.run.seed}/{step}/propose"), self.ask(step))
            try:
                proposal = self.proposer(self.problem, selection, turn)
            except (NoProgram, Unproposed) as error:
                self._end(step, "reply" if isinstance(error, NoProgram) else "unproposed", str(error))
                return None
            key = identity(self.problem, proposal.files)
            known = Candidate(step, proposal.files, begun.parents, proposal.author, proposal.note, key)
        earlier = self.archive.add(known)
        refused = self.problem.screen(known.files) if self.problem.screen else None
        if earlier is not None:
            self._end(step, "duplicate", f"the same program as step {earlier}")
        elif refused is not None:
            self._end(step, "refused", refused)
        else:
            return known
        return None

    def _judged(self, candidate: Candidate) -> None:
        self._record(candidate.step, self.engine.evaluate(self.job(candidate)))
        recent = list(self.archive.view.recent)
        failed = recent.count("scorer")
        if recent[-IN_A_ROW:].count("scorer") == IN_A_ROW or failed > OF_THE_LAST:
            last = self.archive.entry(candidate.step).evaluation.feedback
            raise RunError(
                f"the scorer failed on {failed} of the last {len(recent)} candidates, last at step {candidate.step}:\n{last.strip()}\n"
                "Mend the scorer, then judge every candidate again with `elites rescore FILE`; where the cause lay elsewhere, "
                "`elites run … --retry scorer` judges those again"
            )

    def _end(self, step: int, outcome: Outcome, feedback: str) -> None:
        self._record(step, Evaluation(outcome, feedback=feedback, digest=self.archive.digest))

    def _record(self, step: int, evaluation: Evaluation) -> None:
        self.archive.record(step, evaluation)
        self.listener(Finished(step, evaluation))

    def job(self, candidate: Candidate, stage: str = "score", *, fresh: bool = False) -> Job:
        """The evaluation of a candidate, as an engine carries it out."""
        run = self.archive.run
        return Job(
            self.reference, self.archive.digest, candidate.files, stage=stage, seed=run.seed, salt=run.salt, fresh=fresh
        )
