"""A run, from its settings to its report: everything the command line does is such a call."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

from agent.champion import crowned
from agent.controller import Controller, RunError
from agent.events import Listener, Said, Started, Stopped, silent
from agent.keys import Keys
from agent.ledger import Ledger, Patience
from agent.models.make import ModelSettings, make_model
from agent.opening import Fixed, opened
from agent.proposers.build import NAMES, asks, build_proposer
from agent.rescore import Rescore
from agent.strategies import SettingsError, canonical, kept, resolve
from agent.types import Model, Proposer
from archive.samplers import SAMPLERS
from archive.store import Archive
from archive.types import Entry
from evaluators.digest import scoring_digest
from evaluators.engines.local import Sandboxed
from evaluators.engines.onray import OnRay
from evaluators.types import Reference
from problems.loading import load
from problems.types import Problem
from sandboxes.choose import Isolation, Name, choose
from sandboxes.types import Data, Sandbox


@dataclass(frozen=True)
class Report:
    """How a run ended."""

    reason: str
    """`done`, `minutes`, `usd` or `interrupted`."""
    best: Entry | None
    """The champion: the best entry, judged again; None where none passed."""
    steps: int
    """Steps that the file now has, the seed apart."""
    usd: float
    why: str = ""
    """Of `usd`: what the next call may cost, and what is left."""


@dataclass(frozen=True)
class Search:
    """A discovery run. What is None is as the file has it or, for a new file, as the default is."""

    reference: Reference
    file: Path
    steps: int = 1000
    """The total that the file is to have, the seed apart."""
    seed: int | None = None
    islands: int | None = None
    migration: int | None = None
    """Every how many of its steps an island draws from the island before."""
    sampler: Mapping[str, Any] | None = None
    proposer: Mapping[str, Any] | None = None
    models: tuple[ModelSettings, ...] = ()
    keys: Keys = field(default_factory=Keys, repr=False)
    """What was taken from the environment."""
    patience: Patience = Patience()
    """How long to try where a model does not answer."""
    usd: float | None = None
    """What the whole file may cost."""
    minutes: float | None = None
    """How long this invocation may take."""
    evaluations: int | None = None
    """Programs that run at the same time; by default one for each processor."""
    proposals: int | None = None
    """Steps that are proposed at the same time; by default 8 with a model, 1 without."""
    sandbox: Name = "auto"
    isolation: Isolation = "reuse"
    engine: str = "ray"
    address: str | None = None
    """A Ray cluster to join; by default this machine."""
    retry: str | None = None
    """`scorer`: judge again what the scorer failed on."""
    listener: Listener = field(default=silent, repr=False)

    def run(self) -> Report:
        """Begin or go on: on a file that exists, what is done stays done.

        Raises:
            ProblemError, SettingsError, ArchiveError, SandboxError, EngineError, ModelError, RunError: each with one clear
                text; what was committed stays.
        """
        until = time.monotonic() + self.minutes * 60 if self.minutes is not None else None
        problem = load(self.reference)
        with ExitStack() as stack:
            models = [stack.enter_context(closing(make_model(model, self.keys))) for model in self.models]
            if self.sampler is not None:
                resolve(self.sampler, SAMPLERS)
            if self.proposer is not None and not self.file.exists():
                build_proposer(self.proposer, models)
            archive = stack.enter_context(closing(opened(self.file, self._fixed(problem))))
            setting = kept(archive.run.proposer, NAMES, "proposer", self.proposer)
            sampler = kept(archive.run.sampler, SAMPLERS, "sampler", self.sampler)
            stop = threading.Event()
            controller = Controller(
                archive, self.reference, problem, self._proposer(setting, models),
                resolve(sampler, SAMPLERS), self._engine(problem, stack),
                Ledger(archive, self.usd, self.patience, stop).ask, self._evaluations(), self._proposals(),
                self.listener, until, stop=stop,
            )  # fmt: skip
            if setting["use"] == "mutate":
                self.listener(Said("No model is asked: programs are varied by symbolic mutation and crossover."))
            archive.durable(any(model.reserve(()) != 0.0 for model in models))
            archive.invocation(self._invocation(problem))
            stack.push(self._ended)
            self.listener(Started(problem, archive, self.steps, archive.view.outcomes.total()))
            reason = controller.run(archive.unfinished(self.steps, retry=self.retry))
            best = crowned(controller)
            self.listener(Stopped(reason))
            return Report(reason, best, max(archive.view.outcomes.total() - 1, 0), archive.spent(), controller.why)

    def rescore(self) -> int:
        """Judge every stored candidate by the scorer as it now is and switch the file to it; how many were judged.

        Raises:
            As `run`; RunError also where the scorer is the one that the file has.
        """
        problem = load(self.reference)
        with ExitStack() as stack:
            archive = stack.enter_context(closing(Archive.open(self.file, write=True)))
            digest = scoring_digest(problem)
            if digest == archive.digest:
                raise RunError(f"nothing to do: the scores of {self.file} were made by the scorer as it is now")
            if self.reference.name != archive.run.reference.name:
                raise RunError(f"{self.file} is of {archive.run.reference.name!r}, not of {self.reference.name!r}")
            engine = self._engine(problem, stack)
            stack.push(self._ended)
            self.listener(Started(problem, archive, archive.view.outcomes.total() - 1, 0))
            judged = Rescore(archive, self.reference, digest, engine, self.listener).run(self._evaluations())
            self.listener(Stopped("done"))
            return judged

    def _ended(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Tell the listener of an error while the archive is still open."""
        if error is not None:
            self.listener(Stopped(str(error) or type(error).__name__))

    def _proposer(self, setting: Mapping[str, Any], models: Sequence[Model]) -> Proposer:
        """The file's proposer. Raises SettingsError where it asks a model and there is none, or one was named and it asks none."""
        has = f"{self.file} was made with the proposer {canonical(setting)[:200]}, which stays with the file and asks"
        if asks(setting) and not models:
            raise SettingsError(f"{has} a model: name one with --model or in the settings, or take another --file to go without")
        if models and not asks(setting) and self.proposer is None:
            raise SettingsError(f"{has} no model: leave out the model, or take another --file to go on with it")
        return build_proposer(setting, models)

    def _fixed(self, problem: Problem) -> Fixed:
        return Fixed(
            problem, self.reference, scoring_digest(problem), self.seed, self.islands, self.migration, self.sampler,
            self.proposer, with_models=bool(self.models),
        )  # fmt: skip

    def _engine(self, problem: Problem, stack: ExitStack) -> Sandboxed | OnRay:
        """The engine, its workers and first boxes ready."""
        if self.engine not in ("ray", "local"):
            raise RunError(f"engine must be 'ray' or 'local', not {self.engine!r}")
        sandbox, why = choose(self.sandbox, self.isolation, str(self.file), lambda text: self.listener(Said(text)))
        self.listener(Said(why))
        if problem.secret and sandbox.name == "process" and self.sandbox != "process":
            raise RunError(
                f"{self.reference.name} hides its inputs, and processes cannot hide them from a program that looks for them. "
                "Start Docker, or ask for `--sandbox process` knowing that"
            )
        sandbox.image(problem.needs)
        engine: Sandboxed | OnRay
        if self.engine == "local":
            engine = Sandboxed(sandbox, load)
        else:
            make = partial(_chosen, "docker" if sandbox.name == "docker" else "process", self.isolation, str(self.file))
            engine = OnRay(self._evaluations(), make, load, self.address)
        stack.enter_context(closing(engine))
        engine.warm(self.reference)
        return engine

    def _evaluations(self) -> int:
        return self.evaluations or len(os.sched_getaffinity(0))

    def _proposals(self) -> int:
        return self.proposals or (8 if self.models else 1)

    def _invocation(self, problem: Problem) -> Mapping[str, Data]:
        """What may change from one invocation to the next, and what it ran with."""
        return {
            "steps": self.steps,
            "usd": self.usd,
            "minutes": self.minutes,
            "evaluations": self._evaluations(),
            "proposals": self._proposals(),
            "sandbox": self.sandbox,
            "isolation": self.isolation,
            "engine": self.engine,
            "models": [model.name for model in self.models],
            "versions": {name: version(name) for name in ("elites", "ray", "docker", *problem.scoring.libraries)},
        }


def _chosen(name: Name, isolation: Isolation, label: str) -> Sandbox:
    """The sandbox of a worker."""
    return choose(name, isolation, label)[0]
