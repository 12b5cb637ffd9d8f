"""The command line. Each command imports what it needs when it is called, so that `elites --help` answers at once."""

from __future__ import annotations

import os
import sys

from agent.console import commands, reading
from agent.console.cli import app, images

__all__ = ["app", "commands", "main", "reading"]

app.add_typer(images, name="sandbox")


def main() -> None:
    """The console script. Keys leave the environment before anything else is done."""
    from agent.keys import take_keys, undumpable

    keys = take_keys(os.environ)
    undumpable()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app(obj=keys, prog_name="elites")
