"""The words of the search: models, proposers, and the turn that a proposer has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeAlias

from archive.types import Selection
from problems.types import Problem
from sandboxes.types import Files

Message: TypeAlias = Mapping[str, str]
"""`{"role": "system" | "user" | "assistant", "content": text}`."""


@dataclass(frozen=True)
class Reply:
    """What a model answered."""

    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usd: float | None = None
    """What it cost; None where no price is known."""


class ModelError(Exception):
    """A model cannot be used; the text says which, why, and what to do."""


class ModelUnavailable(ModelError):
    """It cannot be reached, or keeps failing: the step stays unfinished and the run can go on later."""

    def __init__(self, text: str, *, retry_after: float | None = None, usd: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        """Seconds to wait before asking again, where the server said so."""
        self.usd = usd
        """What the attempt cost: 0 where it surely was not billed, None where nobody knows."""


class ModelRefused(ModelError):
    """It answered that it will not: a wrong key, an unknown model, a request it cannot read."""


class Model(Protocol):
    """Answers messages. May be called from several threads. One call is one attempt: who calls, retries."""

    @property
    def name(self) -> str: ...

    def reserve(self, messages: Sequence[Message]) -> float | None:
        """The most that answering may cost, in USD; None where no price is known."""

    def __call__(self, messages: Sequence[Message]) -> Reply:
        """Raises ModelUnavailable (with `retry_after` seconds where the server said so) or ModelRefused."""


Ask: TypeAlias = Callable[[Model, Sequence[Message], str], Reply]
"""`ask(model, messages, purpose)`: reserves the money, calls (again, where that may help), settles; or answers from the record."""


@dataclass(frozen=True)
class Turn:
    """What the controller hands a proposer for one step."""

    step: int
    rng: Random
    """`Random(f"{seed}/{step}/propose")`: chance is a function of its place."""
    ask: Ask
    """The only way to a model: every call is a row."""


class NoProgram(Exception):
    """The model answered, but no program came of it. The outcome is `reply`; the text says why."""


class Unproposed(Exception):
    """The proposer has nothing new to offer. The outcome is `unproposed`."""


@dataclass(frozen=True)
class Proposal:
    """New files, and who made them."""

    files: Files
    author: str
    note: str = ""


class Proposer(Protocol):
    """Makes a candidate from elites."""

    def __call__(self, problem: Problem, selection: Selection, turn: Turn) -> Proposal:
        """Raises NoProgram, Unproposed or ModelError."""
