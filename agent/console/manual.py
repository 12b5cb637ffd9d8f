"""The command reference, `docs/commands.md`: `python -m agent.console.manual > docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from agent.console.app import app

HEAD = """# Commands

A problem is a bundled name, a dotted path (`package.module:PROBLEM`) or a folder with a `problem.py`; parameters
follow as `n=32`. What reads a run takes its file first. Standard output is the answer, standard error the rest. Exit
codes: 0 done, 1 an error or a check that failed, 2 wrong usage, 130 interrupted. This page is made from the help of the
commands themselves."""


def manual() -> str:
    """The reference in Markdown."""
    return "\n\n".join([HEAD, *(f"## {name}\n\n```text\n{text}\n```" for name, text in helps())]) + "\n"


def helps() -> Iterator[tuple[str, str]]:
    """Each command with its help, 100 columns wide."""
    for words, command in commands(typer.main.get_command(app), ("elites",)):
        context = command.make_context(" ".join(words), [], resilient_parsing=True, terminal_width=100)
        text = command.get_help(context)
        yield " ".join(words), "\n".join(line.rstrip() for line in text.splitlines())


def commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands of a group, and of its groups, in order."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, one in inner.items():
        yield from commands(one, (*words, name))


if __name__ == "__main__":
    typer.echo(manual(), nl=False)
