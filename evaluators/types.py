"""The words of the judges: scores, outcomes, jobs and engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal, Protocol, TypeAlias

from sandboxes.types import Data, Files, Needs, Program, Usage

Outcome: TypeAlias = Literal[
    "scored",
    "crash", "timeout", "memory", "invalid",
    "refused", "duplicate", "reply", "unproposed",
    "scorer",
]  # fmt: skip
"""How a step ends. A value exists exactly when it is `scored`.

`crash`, `timeout`, `memory`, `invalid`: the program's fault. `refused`: screened out. `duplicate`: an earlier step has the same
program. `reply`: the model answered, but no program. `unproposed`: the proposer had nothing new. `scorer`: the judge failed.
"""

Sense: TypeAlias = Literal["maximize", "minimize"]


class Invalid(Exception):
    """What the program returned is no solution; the text says why, for its author.

    Where inputs are hidden, `told` is passed on in its place: words that the scorer's author has fixed, with nothing in them
    of the reply or of the inputs.
    """

    def __init__(self, text: str, told: str = "") -> None:
        super().__init__(text)
        self.told = told


@dataclass(frozen=True)
class Score:
    """What an evaluator found."""

    value: float
    """In the problem's own unit."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """The program's place on each axis of the map, by the axis' name."""
    notes: str = ""
    """Shown to the next proposer; where inputs are hidden, to nobody."""
    artifact: Data = None
    """The verified data that earned the value."""
    told: str = ""
    """Shown in place of the notes where inputs are hidden: the author vouches that it tells nothing of them."""


Evaluator: TypeAlias = Callable[[Program, Random], Score]
"""Scores a program. Raises `Invalid`. Its generator is the same for all candidates of a stage and repeat."""


@dataclass(frozen=True)
class Scoring:
    """What the scorer itself may use, apart from the program."""

    seconds: float = 30.0
    memory_mb: int = 4096
    """Growth of the judging process beyond its size at the start."""
    libraries: tuple[str, ...] = ("numpy",)
    """Distributions whose versions are a part of the scoring digest."""


@dataclass(frozen=True)
class Reference:
    """Where a problem comes from: enough to load it in another process."""

    name: str
    """A bundled name (`circle_packing`), a dotted path (`mine.problem:PROBLEM`) or the name of a user's folder."""
    parameters: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    files: Files | None = None
    """For a user's folder: its text files, so that it can travel."""


class Task(Protocol):
    """What an engine needs of a problem."""

    @property
    def score(self) -> Evaluator: ...
    @property
    def needs(self) -> Needs: ...
    @property
    def scoring(self) -> Scoring: ...
    @property
    def secret(self) -> bool:
        """Its inputs are hidden: no text is passed on but what the scorer's author has declared to be `told`."""

    def checked(self, score: Score) -> Score:
        """The score, if it can be one: finite, with every axis measured, within the proved bound.

        Raises:
            ValueError: the scorer is wrong; the text says how.
        """


@dataclass(frozen=True)
class Job:
    """One evaluation to carry out. Plain data, so that it can be sent anywhere."""

    reference: Reference
    digest: str
    """The scoring digest that the worker must arrive at."""
    files: Files
    start: Data = None
    stage: str = "score"
    """`score`, or `audit` for a champion that is judged again."""
    repeat: int = 0
    seed: int = 0
    salt: str = ""
    fresh: bool = False
    """In a box of its own."""


@dataclass(frozen=True)
class Evaluation:
    """What became of a candidate."""

    outcome: Outcome
    value: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    feedback: str = ""
    """For the next proposer and the reader: the scorer's notes, or why there is no value."""
    artifact: Data = None
    usage: Usage = Usage()
    sandbox: str = "none"
    """`docker`, `process`, or `none` where nothing was run."""
    isolation: str = "reuse"
    image: str = ""
    digest: str = ""
    stage: str = "score"
    repeat: int = 0
    retry: bool = False
    """The cause lay outside the candidate (a lost worker): judging again may end otherwise."""


class Engine(Protocol):
    """Carries evaluations out. May be called from several threads."""

    def evaluate(self, job: Job) -> Evaluation:
        """Raises:
        SandboxUnavailable: nothing can be run; the run stops, nothing is lost.
        EngineError: the engine cannot work (no Ray, the problem does not load).
        """

    def close(self) -> None:
        """End every worker and box. Calling it again does nothing."""


class EngineError(Exception):
    """The engine itself cannot work; the text says what to do about it."""
