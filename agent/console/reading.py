"""The commands that take a run file. No problem code is imported, but for `plot` and `check-run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agent.console.cli import StepCommand, app
from agent.console.commands import AsJson, ProblemOption, RunFile

Step = Annotated[int, typer.Argument(metavar="STEP", help="The step's number.")]
BestOr = Annotated[int | None, typer.Argument(metavar="STEP", help="The step; by default the best.")]


@app.command()
def best(file: RunFile, as_json: AsJson = False) -> None:
    """Print the best entry."""
    from agent.console import inspection

    inspection.best(file, as_json)


@app.command(cls=StepCommand)
def show(
    file: RunFile,
    step: Step,
    calls: Annotated[bool, typer.Option("--calls", help="With each prompt and reply in full, as --json has them too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print one step: its program, what became of it, and the calls of models."""
    from agent.console import inspection

    inspection.show(file, step, calls, as_json)


@app.command()
def ls(
    file: RunFile,
    order: Annotated[Literal["newest", "best"], typer.Option(help="Newest or best first.")] = "newest",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List steps."""
    from agent.console import inspection

    inspection.ls(file, order, limit, as_json)


@app.command("map")
def grid(
    file: RunFile,
    island: Annotated[int | None, typer.Option(min=0, help="Of one island; by default the best of all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw the map: the best value of each cell."""
    from agent.console import inspection

    inspection.grid(file, island, as_json)


@app.command(cls=StepCommand)
def lineage(file: RunFile, step: Step, as_json: AsJson = False) -> None:
    """List the ancestors of a step, from the seed on."""
    from agent.console import inspection

    inspection.lineage(file, step, as_json)


@app.command(cls=StepCommand)
def diff(
    file: RunFile,
    a: Annotated[int, typer.Argument(metavar="A", help="A step.")],
    b: Annotated[int, typer.Argument(metavar="B", help="Another.")],
    as_json: AsJson = False,
) -> None:
    """Print what changed from one program to another."""
    from agent.console import inspection

    inspection.diff(file, a, b, as_json)


@app.command(cls=StepCommand)
def export(
    file: RunFile,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder; made where it is not there.")],
    step: BestOr = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a program, its artifact and its facts into a folder."""
    from agent.console import inspection

    inspection.export(file, step, inspection.Destination(to, force), as_json)


@app.command(cls=StepCommand)
def plot(
    file: RunFile,
    to: Annotated[Path, typer.Option("--to", metavar="PNG", help="The picture; .pdf and .svg do as well.")],
    step: BestOr = None,
    problem: ProblemOption = None,
    as_json: AsJson = False,
) -> None:
    """Draw an artifact. Needs the problem's own code: that of a bundled one is there, any other is named."""
    from agent.console import checking

    checking.plot(file, step, to, problem, as_json)


@app.command("check-run")
def check_run(
    file: RunFile,
    sampler: Annotated[str | None, typer.Option(help="The run's sampler, where it is not a bundled one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every selection of a run from its rows, and look for damage."""
    from agent.console import checking

    checking.check_run(file, sampler, as_json)


@app.command()
def copy(
    file: RunFile,
    to: Annotated[Path, typer.Argument(metavar="TO", help="The copy; must not exist.")],
    as_json: AsJson = False,
) -> None:
    """Copy a run file, also while a run writes it."""
    from agent.console import inspection

    inspection.copy(file, to, as_json)
