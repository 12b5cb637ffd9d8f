"""The words of the archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from evaluators.types import Evaluation, Reference
from sandboxes.types import Files

if TYPE_CHECKING:
    from archive.fold import View


class ArchiveError(Exception):
    """The file cannot be used as asked; the text says what was expected, what came and what to do."""


@dataclass(frozen=True)
class Candidate:
    """A set of files, and how it came to be."""

    step: int
    files: Files
    parents: tuple[int, ...]
    """The steps it was made from: the parent first."""
    author: str
    """Who made it: `seed`, `mutate`, `patch:gpt-5`, …"""
    note: str = ""
    """What its author says of the change."""
    key: str = ""
    """Normalised identity of its files."""


@dataclass(frozen=True)
class Entry:
    """A candidate with what became of it."""

    candidate: Candidate
    evaluation: Evaluation

    @property
    def step(self) -> int:
        return self.candidate.step

    @property
    def files(self) -> Files:
        return self.candidate.files

    @property
    def value(self) -> float:
        """Its value. Raises ValueError where it has none."""
        if self.evaluation.value is None:
            raise ValueError(f"step {self.step} has no value: {self.evaluation.outcome}")
        return self.evaluation.value


@dataclass(frozen=True)
class Selection:
    """What a sampler picked."""

    parent: Entry
    inspirations: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Begun:
    """A step that has begun: what it will be made from is settled."""

    step: int
    island: int
    parents: tuple[int, ...]
    """The steps of the selection: the parent first, then the inspirations."""
    saw: int
    """The last evaluation row that was visible when they were drawn."""


class Sampler(Protocol):
    """Picks elites of an island to learn from. A pure function of the view and the generator."""

    def __call__(self, view: View, island: int, rng: Random) -> Selection: ...


@dataclass(frozen=True)
class Run:
    """What is fixed for a file when it is made."""

    reference: Reference
    digest: str
    """The scoring digest under which the file was made."""
    sense: str
    seed: int
    salt: str
    islands: int
    migration: int
    """Every how many steps of an island one draws its parent from the island before."""
    sampler: str
    """The sampler's setting, canonical JSON."""
    proposer: str
    """The proposer's setting, canonical JSON."""
    statement: str = ""
    records: tuple[Mapping[str, float | str], ...] = ()
    axes: tuple[Mapping[str, int | float | str], ...] = field(default_factory=tuple)


class BudgetSpent(Exception):
    """A call was not reserved, since with it the file might cost more than its cap. Nothing was written."""


@dataclass(frozen=True)
class Call:
    """A question to a model, with the money set aside for it."""

    step: int
    number: int
    """Counts the calls of a step, from 0."""
    purpose: str
    model: str
    prompt: str
    """The messages as JSON."""
    reserved: float | None = None
    """The most that it may cost, in USD; None where no price is known."""


@dataclass(frozen=True)
class Settled:
    """How a call ended."""

    reply: str | None
    """None where the attempt failed."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usd: float | None = None
    """None where no price is known: then what was reserved counts."""
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Verification:
    """A champion check: the value that the entry reached again, or why it is quarantined."""

    step: int
    value: float | None
    reason: str = ""

    @property
    def quarantined(self) -> bool:
        return self.value is None


@dataclass(frozen=True)
class Note:
    """What the search has learnt."""

    text: str
    step: int | None = None
    """The step after which it was written down, if any."""


@dataclass(frozen=True)
class Row:
    """A step in a listing."""

    step: int
    island: int
    outcome: str | None
    """None while the step is unfinished."""
    value: float | None
    author: str
    parents: tuple[int, ...]
    seconds: float
    """Wall time inside the program's calls."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An evaluation row, as far as the fold needs it."""

    row: int
    step: int
    island: int
    outcome: str
    value: float | None
    measures: Mapping[str, float]
    digest: str
    stage: str = "score"
    repeat: int = 0
