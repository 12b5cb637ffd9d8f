"""A sandbox that isolates nothing: for testing engines with trusted programs, without a process or a daemon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from evaluators.fakes import FakeProgram
from sandboxes.types import MAIN, BoxLost, Data, Files, Needs, Program, ProgramError, SandboxUnavailable, Services


@dataclass
class FakeSandbox:
    """Executes trusted programs here and now; the first `losses` programs lose their box instead."""

    losses: int = 0
    closed: bool = False
    starts: list[Needs] = field(default_factory=list)

    name: str = "fake"
    isolation: str = "reuse"

    def image(self, needs: Needs) -> str:
        return "this process"

    @contextmanager
    def start(self, files: Files, needs: Needs, services: Services, start: Data = None) -> Iterator[Program]:
        """The program of `program.py`. Raises BoxLost while losses are due, ProgramError where it is no Python."""
        self.starts.append(needs)
        if self.losses > 0:
            self.losses -= 1
            raise BoxLost("it was asked to be lost")
        try:
            program = FakeProgram.of(files[MAIN])
        except SyntaxError as error:
            raise ProgramError("crash", str(error)) from None
        yield FakeProgram(program.functions, files, start)

    def warm(self, needs: Needs) -> None:
        """There is nothing to warm."""

    def close(self) -> None:
        self.closed = True


class NoSandbox(FakeSandbox):
    """A sandbox that cannot run anything."""

    def warm(self, needs: Needs) -> None:
        """Raises SandboxUnavailable."""
        raise SandboxUnavailable("no daemon answers: start one")
