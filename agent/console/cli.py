"""The application that the commands belong to, and how it tells an error."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from agent.console.text import warn


class OneMessage(AbstractContextManager[None]):
    """Turns an error that the user can mend into one message on standard error and exit code 1."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, (typer.Exit, BrokenPipeError)):
            return
        from agent.console.faults import FAULTS, told

        if isinstance(error, FAULTS):
            warn(f"elites: {told(error)}")
            raise typer.Exit(1)


class Commands(TyperGroup):
    """The commands; their errors in one message each."""

    def invoke(self, ctx: Any) -> Any:
        with OneMessage():
            return super().invoke(ctx)


class StepCommand(TyperCommand):
    """A command that takes the number of a step. One below zero is a number too, which the file then says it has not."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f" {word}" if NEGATIVE.fullmatch(word) else word for word in args])


NEGATIVE = re.compile(r"-\d+")
"""What would be taken for an option; with a blank before it, it is read as the number that it is."""

app = typer.Typer(
    name="elites",
    cls=Commands,
    help="Discover programs: propose, run in a sandbox, score exactly, keep the best of every kind.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
images = typer.Typer(help="The sandbox's image.", no_args_is_help=True, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def start(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"elites {installed('elites')}")
        raise typer.Exit
