"""A program without a sandbox: for testing evaluators, and for trying one out in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sandboxes.types import MAIN, Data, Files, Needs, Program, ProgramError, Usage


@dataclass(frozen=True)
class FakeProgram:
    """Trusted functions that stand where a program would. Nothing is isolated, bounded or timed."""

    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    files: Files = field(default_factory=dict)
    start: Data = None

    @classmethod
    def of(cls, source: str) -> FakeProgram:
        """The functions of a trusted source text, which is executed here and now."""
        space: dict[str, Any] = {"__name__": "program"}
        exec(compile(source, MAIN, "exec"), space)  # noqa: S102 - trusted: that is what the fake is for
        return cls({name: thing for name, thing in space.items() if callable(thing)}, {MAIN: source})

    def call(self, function: str, *args: Data, **kwargs: Data) -> Data:
        """Call the function. Raises ProgramError (`invalid`) where there is none; its own exceptions pass."""
        if function not in self.functions:
            raise ProgramError("invalid", f"there is no function {function!r}")
        reply: Data = self.functions[function](*args, **kwargs)
        return reply

    @contextmanager
    def _again(self, files: Files | None) -> Iterator[Program]:
        yield self if files is None else FakeProgram.of(files[MAIN])

    def fresh(self, files: Files | None = None, needs: Needs | None = None) -> Any:
        """The same program, or another of trusted source."""
        return self._again(files)

    def usage(self) -> Usage:
        """Nothing is measured."""
        return Usage()

    def printed(self) -> str:
        """Nothing is kept."""
        return ""
