"""The commands that read a run file. No problem code is imported."""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.console import calls, maps
from agent.console.facts import artifact, lines, named, of_entry
from agent.console.text import clean, columns, line, number, say, say_json
from archive.files import place
from archive.store import Archive
from archive.types import ArchiveError, Entry


@contextmanager
def opened(file: Path) -> Iterator[Archive]:
    """The file, open for reading: a run that writes it is neither disturbed nor waited for. Raises ArchiveError."""
    if not file.exists():
        raise ArchiveError(f"there is no run file {file}; `elites run PROBLEM --file {file}` makes one")
    archive = Archive.open(file)
    try:
        yield archive
    finally:
        archive.close()


def chosen(archive: Archive, step: int | None) -> Entry:
    """The entry of a step, or the best one with its artifact. Raises ArchiveError where there is none."""
    if step is not None:
        return archive.entry(step)
    best = archive.view.best()
    if best is None:
        outcomes = ", ".join(f"{outcome} {count}" for outcome, count in archive.view.outcomes.items()) or "no step yet"
        raise ArchiveError(f"{archive.path} holds no scored program ({outcomes})")
    return archive.entry(best.step)


def best(file: Path, as_json: bool) -> None:
    """The best entry."""
    with opened(file) as archive:
        facts = of_entry(archive, chosen(archive, None))
    if as_json:
        say_json({"file": str(file), **facts})
    else:
        say("\n".join(lines(facts)))


def show(file: Path, step: int, with_calls: bool, as_json: bool) -> None:
    """One entry with its program and the calls of models for it."""
    with opened(file) as archive:
        entry = archive.entry(step)
        facts, paid = of_entry(archive, entry), archive.calls(step)
    if as_json:
        usd = sum(settled.usd for _, settled in paid if settled and settled.usd is not None)
        say_json({"file": str(file), **facts, "files": dict(entry.files), "calls": calls.facts(paid), "usd": usd})
        return
    say("\n".join([*lines(facts), *calls.lines(paid)]))
    for name, text in sorted(entry.files.items()):
        say(f"\n--- {line(name)}\n{text.rstrip()}")
    if with_calls:
        say("\n".join(calls.whole(paid)) if paid else "\nno model was asked")


def ls(file: Path, order: str, limit: int, as_json: bool) -> None:
    """The steps, in a table."""
    with opened(file) as archive:
        rows = list(archive.rows(order=order, limit=min(limit, 2**62)))
    if as_json:
        told = [
            {
                "step": row.step,
                "island": row.island,
                "outcome": row.outcome,
                "value": row.value,
                "author": row.author,
                "parents": list(row.parents),
                "seconds": row.seconds,
            }
            for row in rows
        ]
        say_json({"file": str(file), "steps": told})
        return
    columns(
        ["step", "island", "value", "seconds", "parents", "author", "outcome"],
        (
            [
                str(row.step),
                str(row.island),
                number(row.value),
                number(row.seconds, 3),
                ",".join(map(str, row.parents)) or "-",
                row.author,
                row.outcome or "unfinished",
            ]
            for row in rows
        ),
    )


def grid(file: Path, island: int | None, as_json: bool) -> None:
    """The map."""
    with opened(file) as archive:
        run = archive.run
        if island is not None and not 0 <= island < run.islands:
            raise ArchiveError(f"{file} has the islands 0 to {run.islands - 1}, not {island}")
        islands = range(run.islands) if island is None else [island]
        entries = maps.cells(run, [entry for i in islands for entry in archive.view.elites(i)])
    if as_json:
        cells = [{"cell": list(cell), "step": e.step, "value": e.value} for cell, e in sorted(entries.items())]
        axes = [dict(axis) for axis in run.axes]
        say_json({"file": str(file), "problem": run.reference.name, "axes": axes, "cells": cells})
        return
    say(named(run))
    values = {cell: entry.value for cell, entry in entries.items()}
    say("\n".join(maps.drawn(run, values, shutil.get_terminal_size((120, 24)).columns)))


def lineage(file: Path, step: int, as_json: bool) -> None:
    """From the seed down to a step."""
    with opened(file) as archive:
        entries = archive.lineage(step)
    told = [(e.step, e.evaluation.value, e.evaluation.outcome, e.candidate.author, e.candidate.note) for e in entries]
    if as_json:
        keys = ("step", "value", "outcome", "author", "note")
        say_json({"file": str(file), "lineage": [dict(zip(keys, row, strict=True)) for row in told]})
        return
    columns(
        ["step", "value", "outcome", "author", "note"],
        ([str(step), number(value), outcome, author, note] for step, value, outcome, author, note in told),
    )


def diff(file: Path, a: int, b: int, as_json: bool) -> None:
    """What changed from one program to another, as a unified diff."""
    with opened(file) as archive:
        one, two = archive.entry(a), archive.entry(b)
    text = "".join(_changes(one, two))
    if as_json:
        values = (one.evaluation.value, two.evaluation.value)
        say_json({"file": str(file), "a": a, "b": b, "values": list(values), "diff": text})
    else:
        say(f"step {a}: {number(one.evaluation.value)}   step {b}: {number(two.evaluation.value)}")
        say(text.rstrip() or "the programs are the same")


@dataclass(frozen=True)
class Destination:
    """The folder of an export."""

    folder: Path
    force: bool = False
    """Write into it even where it holds something."""

    def seen_to(self) -> None:
        """Raises ArchiveError where it cannot be a folder, or holds something that might be overwritten."""
        for folder in (self.folder, *self.folder.parents):
            if folder.exists() and not folder.is_dir():
                raise ArchiveError(f"{folder} is a file, and a folder was expected; take another name for --to")
        if not self.force and self.folder.exists() and any(self.folder.iterdir()):
            raise ArchiveError(f"the folder {self.folder} is not empty: take another name for --to, or --force to write into it")


def export(file: Path, step: int | None, to: Destination, as_json: bool) -> None:
    """A program, its artifact and its facts into a folder. Nothing outside the folder is written."""
    to.seen_to()
    with opened(file) as archive:
        entry = chosen(archive, step)
        facts = of_entry(archive, entry)
    data = artifact(entry)
    texts = {inside(to.folder / "program", name): text for name, text in sorted(entry.files.items())}
    if data is not None:
        texts[to.folder / "artifact.json"] = json.dumps(data)
    texts[to.folder / "facts.json"] = json.dumps({"file": file.name, **facts}, indent=2)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", errors="backslashreplace")
    if as_json:
        say_json({"file": str(file), "step": entry.step, "written": [str(path) for path in texts]})
        return
    say("\n".join(str(path) for path in texts))
    if data is None:
        say("no artifact: it is kept where an entry takes a cell or is the best")


def copy(file: Path, to: Path, as_json: bool) -> None:
    """Copy a run file while it may be written. Raises ArchiveError where the copy exists, or cannot stand there."""
    place(to, "copy")
    if to.exists():
        raise ArchiveError(f"{to} exists already, and a copy overwrites nothing: take another name")
    with opened(file) as archive:
        archive.copy(to)
    if as_json:
        say_json({"file": str(file), "written": [str(to)]})
    else:
        say(str(to))


def _changes(one: Entry, two: Entry) -> Iterator[str]:
    for name in sorted({*one.files, *two.files}):
        old, new = (e.files.get(name, "").splitlines() for e in (one, two))
        for text in difflib.unified_diff(old, new, f"{one.step}/{line(name)}", f"{two.step}/{line(name)}", lineterm=""):
            yield text + "\n"


def inside(folder: Path, name: str) -> Path:
    """Where a program's file belongs. Raises ArchiveError where its name leads elsewhere or is no plain text."""
    pure = PurePosixPath(name)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or clean(name) != name or "\n" in name:
        raise ArchiveError(f"the file name {name!r} leads out of the folder; nothing was written")
    return folder.joinpath(*pure.parts)
