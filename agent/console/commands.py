"""The commands that run something: `run`, `rescore`, `evaluate`, `check`, `new`, `doctor`, `sandbox build`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agent.console.cli import app, images

ProblemName = Annotated[str, typer.Argument(metavar="PROBLEM", help="A bundled name, a dotted path or a folder.")]
Words = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its parameters, as n=32.")]
RunFile = Annotated[Path, typer.Argument(metavar="FILE", help="The run file.")]
Sandbox = Annotated[
    Literal["auto", "docker", "process"] | None,
    typer.Option("--sandbox", help="Where programs run; auto: docker where it answers."),
]
Isolated = Annotated[
    Literal["reuse", "strict"] | None, typer.Option("--isolation", help="A warm box for many programs, or one each.")
]
EngineName = Annotated[
    Literal["ray", "local"] | None, typer.Option("--engine", help="Ray workers, or threads of this process.")
]
Evaluations = Annotated[
    int | None, typer.Option("--evaluations", min=1, help="Programs that run at once; one a processor.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ProblemOption = Annotated[
    str | None, typer.Option("--problem", metavar="PROBLEM", help="The problem, where it is not a bundled one.")
]


@app.command()
def run(  # noqa: PLR0913
    context: typer.Context,
    problem: ProblemName,
    parameters: Words = None,
    model: Annotated[str | None, typer.Option(help="The model that proposes; without one, mutation does.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The address of an OpenAI-compatible server.")] = None,
    price_in: Annotated[float | None, typer.Option(min=0, help="USD for a million prompt tokens.")] = None,
    price_out: Annotated[float | None, typer.Option(min=0, help="USD for a million completion tokens.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens of one reply.")] = None,
    proposer: Annotated[str | None, typer.Option(help='mutate, patch, rewrite, roulette; or a table: {use = "patch"}.')] = None,
    sampler: Annotated[str | None, typer.Option(help='annealed, fitness, uniform, greedy, seed_only; or {use = "fitness"}.')] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps the file is to have in all; 1000.")] = None,
    usd: Annotated[float | None, typer.Option(min=0, help="The most the whole file may cost.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="The most this invocation may take.")] = None,
    evaluations: Evaluations = None,
    proposals: Annotated[
        int | None, typer.Option(min=1, help="Steps proposed at once; 8 with a model, else 1.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="The run file; by default PROBLEM.db here.")] = None,
    seed: Annotated[int | None, typer.Option(help="Chance follows from it; 1. A run repeats exactly with --evaluations 1.")] = None,
    islands: Annotated[int | None, typer.Option(min=1, help="Populations apart; 1.")] = None,
    migration: Annotated[int | None, typer.Option(min=0, help="An island's steps between visitors; 20.")] = None,
    sandbox: Sandbox = None,
    isolation: Isolated = None,
    engine: EngineName = None,
    address: Annotated[str | None, typer.Option(help="A Ray cluster to join.")] = None,
    settings: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Settings; options win over them.")] = None,
    retry: Annotated[Literal["scorer"] | None, typer.Option(help="Judge again what the scorer failed on.")] = None,
) -> None:
    """Search for better programs. On a file that exists, go on where it ended."""
    from agent.console import running

    options = {
        "model": model, "base_url": base_url, "price_in": price_in, "price_out": price_out,
        "max_tokens": max_tokens, "proposer": proposer, "sampler": sampler,
        "steps": steps, "usd": usd, "minutes": minutes, "evaluations": evaluations, "proposals": proposals,
        "file": str(file) if file else None, "seed": seed, "islands": islands, "migration": migration,
        "sandbox": sandbox, "isolation": isolation,
        "engine": engine, "address": address, "retry": retry,
    }  # fmt: skip
    running.run(problem, parameters or [], options, settings, context.obj)


@app.command()
def rescore(
    file: RunFile,
    problem: ProblemOption = None,
    evaluations: Evaluations = None,
    sandbox: Sandbox = None,
    isolation: Isolated = None,
    engine: EngineName = None,
) -> None:
    """Judge every stored program again, after a change to the scorer. Takes effect when all are judged."""
    from agent.console import running

    options = {
        "evaluations": evaluations,
        "sandbox": sandbox,
        "isolation": isolation,
        "engine": engine,
    }
    running.rescore(file, problem, options)


@app.command()
def evaluate(
    problem: ProblemName,
    program: Annotated[Path, typer.Argument(metavar="PROGRAM", help="A Python file, or a folder with program.py.")],
    parameters: Words = None,
    seed: Annotated[int, typer.Option(help="Hidden inputs follow from it.")] = 1,
    sandbox: Sandbox = None,
    as_json: AsJson = False,
) -> None:
    """Run one program in the sandbox; score and explain it."""
    from agent.console import authoring

    authoring.evaluate(problem, parameters or [], program, seed, sandbox or "auto", as_json)


@app.command()
def check(problem: ProblemName, parameters: Words = None, sandbox: Sandbox = None, as_json: AsJson = False) -> None:
    """Try a problem: does it load, score its seed, score it the same again, and refuse what is no program?"""
    from agent.console import authoring

    authoring.check(problem, parameters or [], sandbox or "auto", as_json)


@app.command()
def new(name: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to make.")]) -> None:
    """Make a folder with a problem that works at once."""
    from agent.console import scaffold

    scaffold.new(name)


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Say what works on this machine, and how to mend the rest."""
    from agent.console import health

    health.doctor(context.obj.names if context.obj else (), as_json)


@images.command("build")
def build(
    from_host: Annotated[bool, typer.Option("--from-host", help="Make it of this interpreter.")] = False,
    base: Annotated[str | None, typer.Option(metavar="IMAGE", help="By default a public Python.")] = None,
    packages: Annotated[list[str] | None, typer.Option("--package", help="A distribution in it; repeatable.")] = None,
) -> None:
    """Build the image that programs run on."""
    from agent.console import imaging

    imaging.build(from_host, base, packages or ["numpy"])
