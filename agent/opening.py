"""Opens a run's file, or makes it; what is fixed for a file is held against what was asked for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.controller import RunError
from agent.proposers.build import MUTATE, WITH_MODELS
from agent.strategies import canonical
from archive.store import Archive
from archive.types import Run
from evaluators.types import Reference
from problems.types import Problem

SAMPLER: Mapping[str, Any] = {"use": "annealed"}
ISLANDS, MIGRATION = 1, 20


@dataclass(frozen=True)
class Fixed:
    """What is asked for of that which is fixed for a file; None is as the file has it."""

    problem: Problem
    reference: Reference
    digest: str
    seed: int | None
    islands: int | None
    migration: int | None
    sampler: Mapping[str, Any] | None
    proposer: Mapping[str, Any] | None
    with_models: bool

    def run(self) -> Run:
        """For a new file."""
        return Run(
            self.reference,
            self.digest,
            self.problem.sense,
            seed=1 if self.seed is None else self.seed,
            salt=secrets.token_hex(16) if self.problem.secret else "",
            islands=ISLANDS if self.islands is None else self.islands,
            migration=MIGRATION if self.migration is None else self.migration,
            sampler=canonical(self.sampler or SAMPLER),
            proposer=canonical(self.proposer or (WITH_MODELS if self.with_models else MUTATE)),
            statement=self.problem.statement,
            records=tuple(asdict(record) for record in self.problem.records),
            axes=tuple(asdict(axis) for axis in self.problem.axes),
        )

    def differences(self, archive: Archive) -> Iterator[str]:
        """What was asked for and is otherwise in the file, both named."""
        run = archive.run
        pairs: dict[str, tuple[object, object]] = {
            "problem": (self.reference.name, run.reference.name),
            "parameters": (dict(self.reference.parameters), dict(run.reference.parameters)),
            "seed": (self.seed, run.seed),
            "islands": (self.islands, run.islands),
            "migration": (self.migration, run.migration),
            "sampler": (canonical(self.sampler) if self.sampler else None, run.sampler),
            "proposer": (canonical(self.proposer) if self.proposer else None, run.proposer),
        }
        for name, (mine, its) in pairs.items():
            if mine is not None and mine != its:
                yield f"its {name} is {its}, and {mine} was asked for"
        if self.digest != archive.digest:
            yield (
                f"its scores were made by the scoring code {archive.digest[:12]}, which is {self.digest[:12]} now "
                f"(`elites rescore {archive.path}` judges every candidate again; a folder of your own is named with --problem)"
            )


def opened(file: Path, fixed: Fixed) -> Archive:
    """The file, open for writing; made where there is none.

    Raises:
        RunError: the file was made otherwise than is asked for.
        ArchiveError: it cannot be made, opened or locked.
    """
    if not file.exists():
        return Archive.create(file, fixed.run())
    archive = Archive.open(file, write=True)
    refused = "; ".join(fixed.differences(archive))
    if refused:
        archive.close()
        raise RunError(f"{file} cannot go on like this: {refused}. Leave out what is fixed, or take another --file")
    return archive
