"""The words of the sandbox: what goes in, what comes out, what may go wrong.

    SandboxError                ours: no candidate is to blame
    ├── SandboxUnavailable      there is no daemon, no image, no permission: nothing can be run
    └── BoxLost                 the box died under us: running again elsewhere may work
    ProgramError                theirs: the program crashed, was too slow, too large, or returned no data
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, Union

import numpy.typing as npt

Files: TypeAlias = Mapping[str, str]
"""A program's source: relative path → text. `program.py` is where its functions are looked up."""

Data: TypeAlias = Union[bool, int, float, str, "npt.NDArray[Any]", Sequence["Data"], Mapping[str, "Data"], None]
"""What may cross the border: JSON values and numpy arrays of bool, int, float or complex, nested in lists and dicts."""

Services: TypeAlias = Mapping[str, Callable[..., Data]]
"""Functions of ours that a program may call back, by name."""

MAIN = "program.py"
"""The file in which `Program.call` looks its functions up."""

FaultKind: TypeAlias = Literal["crash", "timeout", "memory", "invalid"]


@dataclass(frozen=True)
class Needs:
    """What a program may use. Every limit is enforced from outside the program."""

    packages: tuple[str, ...] = ("numpy",)
    """Distributions that are installed in its box and imported before it starts."""
    seconds: float = 10.0
    """Wall time inside calls over one evaluation; the clock stops while the scorer thinks."""
    cpu_seconds: float | None = None
    """Processor time of each process; by default the wall time, rounded up."""
    memory_mb: int = 512
    """Memory of the whole box, scratch files included."""
    processes: int = 1
    """Processes and threads of the program, itself included."""
    reply_mb: float = 16.0
    """Size of the largest value it may return."""
    cpus: float = 1.0
    gpus: float = 0.0
    fresh: bool = False
    """Give every evaluation a box that no other program has used or will use."""


@dataclass(frozen=True)
class Usage:
    """What an evaluation took, measured from outside the program."""

    wall_seconds: float = 0.0
    """Wall time inside calls."""
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    """Largest resident size, MiB."""


class SandboxError(Exception):
    """No candidate is to blame."""


class SandboxUnavailable(SandboxError):
    """Nothing can be run here; the text says what to do about it."""


class BoxLost(SandboxError):
    """The box or its connection died for no fault of the program."""


class ProgramError(Exception):
    """The program's own fault: `kind` is the outcome, `text` what to tell its author (bounded, untrusted)."""

    def __init__(self, kind: FaultKind, text: str) -> None:
        super().__init__(kind, text)
        self.kind: FaultKind = kind
        self.text = text


class Program(Protocol):
    """A candidate that runs in a box. The box starts at the first call."""

    @property
    def start(self) -> Data:
        """A verified artifact to build on, or None."""

    @property
    def files(self) -> Files:
        """The source as data."""

    def call(self, function: str, *args: Data, **kwargs: Data) -> Data:
        """Call a function of `program.py` and return what it returned.

        Raises:
            ProgramError: it crashed, was too slow, too large, or returned no data.
            BoxLost: the box died for no fault of the program.
            SandboxUnavailable: no box can be started.
        """

    def fresh(self, files: Files | None = None, needs: Needs | None = None) -> AbstractContextManager[Program]:
        """The same or another program in another process."""

    def usage(self) -> Usage:
        """What the program has used so far."""

    def printed(self) -> str:
        """The end of what it printed: at most 4,000 characters, untrusted."""


class Sandbox(Protocol):
    """Runs programs that nobody trusts. Whoever constructs one closes it."""

    @property
    def name(self) -> str:
        """`docker` or `process`."""

    @property
    def isolation(self) -> str:
        """`reuse` (a warm box serves many programs in turn) or `strict` (a fresh box for each)."""

    def image(self, needs: Needs) -> str:
        """What programs with these needs run on, as recorded with each evaluation."""

    def start(
        self, files: Files, needs: Needs, services: Services, start: Data = None
    ) -> AbstractContextManager[Program]:
        """A program that is ready to be called.

        Raises:
            SandboxUnavailable: nothing can be run here (raised here or by the first call).
        """

    def warm(self, needs: Needs) -> None:
        """Have a box ready for programs with these needs, so that the first evaluation need not wait."""

    def close(self) -> None:
        """End every box. Calling it again does nothing."""
