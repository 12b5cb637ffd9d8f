"""SEARCH/REPLACE blocks: their grammar, and how one is applied to files.

<<<<<<< SEARCH
lines as they are
=======
lines as they shall be
>>>>>>> REPLACE
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.blocks import lines_of, marked, parts
from agent.fences import FENCE, heading, safe
from agent.matching import Ambiguous, Place, closest, locate, shifted, trimmed_pair
from agent.types import NoProgram
from sandboxes.types import Files

OPEN = re.compile(r"^\s{0,16}<{5,9} ?SEARCH\s*:?\s*$")
DIVIDE = re.compile(r"^\s{0,16}={5,9}\s*$")
CLOSE = re.compile(r"^\s{0,16}>{5,9} ?(?:REPLACE)?\s*$")
EXCERPT = 12
"""Lines of a program that a reason quotes."""


@dataclass(frozen=True)
class Hunk:
    """One block. Where several lines may be its divider it has several readings; the longest SEARCH that fits wins."""

    number: int
    """Counted from 1."""
    path: str | None
    """The file named before it."""
    readings: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """SEARCH and REPLACE lines."""

    @property
    def shortest(self) -> tuple[str, ...]:
        """The SEARCH lines that are surely meant as such."""
        return self.readings[-1][0]


def hunks(lines: Sequence[str]) -> Iterator[Hunk]:
    """The blocks of a reply, in order.

    Raises:
        NoProgram: one has no divider or no end.
    """
    number, start = 0, -1
    for i, line in enumerate(lines):
        if OPEN.match(line):
            if start >= 0:
                raise NoProgram(f"block {number} has no line '>>>>>>> REPLACE' before the next block begins")
            number, start = number + 1, i
        elif start >= 0 and CLOSE.match(line):
            yield Hunk(number, heading(lines, start), tuple(_readings(lines[start + 1 : i], number)))
            start = -1
    if start >= 0:
        raise NoProgram(f"block {number} has no line '>>>>>>> REPLACE': was the reply cut off?")


def _readings(body: Sequence[str], number: int) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    dividers = [i for i, line in enumerate(body) if DIVIDE.match(line)]
    if not dividers:
        raise NoProgram(f"block {number} has no line '=======' between what to search and what to put there")
    exact = [i for i in dividers if len(body[i].strip()) == 7]
    for i in reversed((exact or dividers)[:4]):
        search, replace = tuple(body[:i]), tuple(body[i + 1 :])
        yield search, replace
        if any(map(FENCE.match, search)):
            yield _bare(search), _bare(replace)


def _bare(lines: Sequence[str]) -> tuple[str, ...]:
    """Without a fence around them."""
    full = [i for i, line in enumerate(lines) if line.strip()]
    if len(full) > 1 and FENCE.match(lines[full[0]]) and FENCE.match(lines[full[-1]]):
        return tuple(lines[full[0] + 1 : full[-1]])
    return tuple(lines)


def apply(hunk: Hunk, files: Files) -> dict[str, str]:
    """The files with one block applied.

    Raises:
        NoProgram: its SEARCH lines are nowhere, or in several places.
    """
    first = hunk.shortest
    if hunk.path is not None and hunk.path not in files and not any(line.strip() for line in first):
        return _created(hunk, files, hunk.path)
    wanted = [path for path in sorted(files) if hunk.path in (path, None) or hunk.path not in files]
    for search, replace in hunk.readings:
        found = {path: place for path in wanted if (place := _locate(search, files, path))}
        if len(found) > 1 or any(isinstance(place, Ambiguous) for place in found.values()):
            raise NoProgram(_ambiguous(hunk, search, found))
        for path, place in found.items():
            if isinstance(place, Place):
                return {**files, path: _replaced(files[path], place, search, replace)}
    raise NoProgram(_missing(hunk, first, files, wanted))


def _locate(search: Sequence[str], files: Files, path: str) -> Place | Ambiguous | None:
    text = lines_of(files[path])
    spans = parts(files[path]).spans() if marked(files) else [(0, len(text))]
    return locate(search, [line.rstrip("\r\n") for line in text], spans)


def _replaced(text: str, place: Place, search: Sequence[str], replace: Sequence[str]) -> str:
    """The text with other lines at a place; line ends stay as they are there."""
    lines = lines_of(text)
    end = "\r\n" if lines[place.start].endswith("\r\n") else "\n"
    new = [line + end for line in shifted(trimmed_pair(search, replace), place.shift)]
    if new and place.end == len(lines) and not lines[-1].endswith("\n"):
        new[-1] = new[-1].removesuffix(end)
    return "".join([*lines[: place.start], *new, *lines[place.end :]])


def _created(hunk: Hunk, files: Files, path: str) -> dict[str, str]:
    if marked(files) or not safe(path):
        why = "only the EVOLVE-BLOCKs of the program may change" if safe(path) else "that is no plain relative path"
        raise NoProgram(f"block {hunk.number} makes a new file {path}: {why}")
    return {**files, path: "".join(f"{line}\n" for line in hunk.readings[-1][1])}


def _ambiguous(hunk: Hunk, search: Sequence[str], found: Mapping[str, Place | Ambiguous]) -> str:
    where = [
        f"{path} line {start + 1}"
        for path, place in found.items()
        for start in (place.starts if isinstance(place, Ambiguous) else (place.start,))
    ]
    return (
        f"block {hunk.number}: its SEARCH lines stand in {len(where)} places ({', '.join(where[:6])}); "
        f"add lines around them until they stand in one:\n{excerpt(search)}"
    )


def _missing(hunk: Hunk, search: Sequence[str], files: Files, wanted: Sequence[str]) -> str:
    if not any(line.strip() for line in search):
        return f"block {hunk.number}: its SEARCH section is empty; put the lines there that shall be replaced"
    known = f" (there are {', '.join(sorted(files))})" if len(files) > 1 else ""
    text = f"block {hunk.number}: its SEARCH lines are not in {' or '.join(wanted)}{known}:\n{excerpt(search)}"
    for path in wanted:
        lines = [line.rstrip("\r\n") for line in lines_of(files[path])]
        near = closest(search, lines)
        if near is not None:
            start, end = near
            return f"{text}\nThe closest lines are {start + 1} to {end} of {path}:\n{excerpt(lines[start:end])}"
    return text


def excerpt(lines: Sequence[str]) -> str:
    """At most twelve lines, indented."""
    shown = [f"    {line[:160]}" for line in lines[:EXCERPT]]
    return "\n".join(shown + (["    …"] if len(lines) > EXCERPT else []))
