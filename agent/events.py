"""What a run tells whoever listens: the progress display, a notebook, a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from evaluators.types import Evaluation
from problems.types import Problem

if TYPE_CHECKING:
    from archive.store import Archive


@dataclass(frozen=True)
class Said:
    """A sentence for the user."""

    text: str


@dataclass(frozen=True)
class Started:
    """The archive is open and the workers are ready."""

    problem: Problem
    archive: Archive
    steps: int
    """The total that the file is to have."""
    done: int
    """How many of them were done before."""


@dataclass(frozen=True)
class Finished:
    """A step's evaluation is committed."""

    step: int
    evaluation: Evaluation


@dataclass(frozen=True)
class Stopped:
    """No further step is begun; `reason` is one of `done`, `minutes`, `usd`, `interrupted`, or the error's text."""

    reason: str


Event: TypeAlias = Said | Started | Finished | Stopped
Listener: TypeAlias = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener that ignores everything."""
