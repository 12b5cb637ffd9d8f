"""The errors that a user can mend, and how they are told."""

from __future__ import annotations

import errno

from sqlalchemy.exc import DatabaseError

from agent.controller import RunError
from agent.strategies import SettingsError
from agent.types import ModelError
from archive.types import ArchiveError
from evaluators.types import EngineError
from problems.loading import ProblemError
from sandboxes.types import SandboxError

FAULTS = (
    SettingsError, ProblemError, ArchiveError, SandboxError, EngineError, ModelError, RunError, DatabaseError, OSError,
)  # fmt: skip


def told(error: BaseException) -> str:
    """The error in words, with what to do where the system's own text does not say."""
    if isinstance(error, DatabaseError):
        return f"the run file cannot be used: {error.orig}"
    if isinstance(error, OSError):
        name = f" ({error.filename})" if error.filename else ""
        advice = "; make room, then run the same command again: nothing is lost" if error.errno == errno.ENOSPC else ""
        return f"{error.strerror or error}{name}{advice}"
    return str(error)
