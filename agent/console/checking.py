"""`plot` and `check-run`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from agent.console import drawing
from agent.console.inspection import chosen, opened
from agent.console.sources import source_of, strategy
from agent.console.text import say, say_json
from agent.strategies import SettingsError, canonical, kept, resolve
from archive.check import check_run as recomputed
from archive.files import place
from archive.samplers import SAMPLERS
from archive.store import Archive
from archive.types import ArchiveError, Sampler
from problems.loading import ProblemError, load


def plot(file: Path, step: int | None, to: Path, problem: str | None, as_json: bool) -> None:
    """Draw an artifact with the problem's own `plot`.

    Raises:
        ProblemError: the problem is not bundled and was not named, or has nothing to draw with.
        ArchiveError: there is no such step, its artifact was not kept or cannot be drawn, or no picture can stand there.
    """
    place(to, "picture")
    with opened(file) as archive:
        entry = chosen(archive, step)
    source = source_of(file, problem)
    drawing.imported()
    draw = load(source).plot
    if draw is None:
        raise ProblemError(f"the problem {source.name!r} has no plot: give its Problem one, a function from the artifact to a Figure")
    if entry.evaluation.artifact is None:
        raise ArchiveError(
            f"no artifact of step {entry.step} was kept: that is done where an entry takes a cell or is the best"
        )
    try:
        drawn = drawing.picture(draw, entry.evaluation.artifact, to.suffix.lower().removeprefix(".") or "png")
    except drawing.DrawingError as error:
        raise ArchiveError(f"the artifact of step {entry.step} cannot be drawn: {error}") from error
    to.write_bytes(drawn)
    if as_json:
        say_json({"file": str(file), "step": entry.step, "written": [str(to)]})
    else:
        say(str(to))


def check_run(file: Path, sampler: str | None, as_json: bool) -> None:
    """Look for anything that no run leaves behind, and recompute every selection. Exit code 1 where something is found.

    Raises:
        SettingsError: the run's sampler is not a bundled one and was not named.
    """
    with opened(file) as archive:
        report = recomputed(archive, drawn_by(archive, sampler))
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        told = {"steps": report.steps, "selections": report.selections, "ok": report.sound, "findings": findings}
        say_json({"file": str(file), **told})
    else:
        for finding in report.findings:
            say(f"{finding.kind}: {finding.text}")
        say(f"{report.steps} steps, {report.selections} selections recomputed: {len(report.findings)} faults found")
    if not report.sound:
        raise typer.Exit(1)


def drawn_by(archive: Archive, sampler: str | None) -> Sampler:
    """The sampler of a run; one that is not bundled is imported only where the user names it. Raises SettingsError."""
    has = f"{archive.path} was made with the sampler {archive.run.sampler}"
    if sampler is not None:
        named = canonical(strategy("sampler", sampler))
        if named != archive.run.sampler:
            raise SettingsError(f"{has}, not {named}")
    asked = strategy("sampler", sampler) if sampler is not None else None
    return resolve(kept(archive.run.sampler, SAMPLERS, "sampler", asked), SAMPLERS)
