"""Where the lines of a SEARCH section stand in a text: exactly, or but for white space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TypeAlias

Spans: TypeAlias = Sequence[tuple[int, int]]
"""Ranges of lines that may change, the end excluded."""

FAR = 4000
"""Lines of a text that are looked at for a resemblance."""


@dataclass(frozen=True)
class Place:
    """Lines of a text that a SEARCH section stands for."""

    start: int
    end: int
    shift: int
    """By how many columns the text is indented further than the section."""


@dataclass(frozen=True)
class Ambiguous:
    """It could stand for several places."""

    starts: tuple[int, ...]


def locate(search: Sequence[str], text: Sequence[str], spans: Spans) -> Place | Ambiguous | None:
    """Where a section stands: by the strictest of three readings, inside the spans if it can.

    The readings: line by line but for white space at the ends of lines; indented further or less as a whole; and with
    any white space within lines.
    """
    section = _trimmed(search)
    if not section:
        return None
    for same, strict in ((str.rstrip, True), (str.strip, True), (_squeezed, False)):
        hits = _hits([same(line) for line in section], [same(line) for line in text])
        places = [place for start in hits if (place := _place(section, text, start, strict))]
        within = [p for p in places if any(low <= p.start and p.end <= high for low, high in spans)]
        found = within or places
        if len(found) > 1:
            return Ambiguous(tuple(place.start for place in found))
        if found:
            return found[0]
    return None


def _hits(section: Sequence[str], text: Sequence[str]) -> list[int]:
    first, length = section[0], len(section)
    starts = (i for i in range(len(text) - length + 1) if text[i] == first)
    return [i for i in starts if all(text[i + j] == section[j] for j in range(1, length))]


def _place(section: Sequence[str], text: Sequence[str], start: int, strict: bool) -> Place | None:
    """The place, if the whole section is indented by the same amount there (or need not be)."""
    shifts = [_indent(text[start + i]) - _indent(line) for i, line in enumerate(section) if line.strip()]
    if strict and len(set(shifts)) > 1:
        return None
    return Place(start, start + len(section), shifts[0])


def shifted(lines: Sequence[str], by: int) -> list[str]:
    """Lines indented further, or as much less as they have."""
    if by >= 0:
        return [" " * by + line if line.strip() else line for line in lines]
    return [line[min(-by, len(line) - len(line.lstrip(" \t"))) :] for line in lines]


def trimmed_pair(search: Sequence[str], replace: Sequence[str]) -> list[str]:
    """The REPLACE lines, less the blank lines at its ends that the SEARCH section has at its own."""
    lines = list(replace)
    blank: Callable[[str], bool] = lambda line: not line.strip()  # noqa: E731
    for _ in takewhile(blank, search):
        if lines and blank(lines[0]):
            lines.pop(0)
    for _ in takewhile(blank, reversed(search)):
        if lines and blank(lines[-1]):
            lines.pop()
    return lines


def _trimmed(lines: Sequence[str]) -> list[str]:
    """Without blank lines at either end."""
    full = [i for i, line in enumerate(lines) if line.strip()]
    return list(lines[full[0] : full[-1] + 1]) if full else []


def _indent(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip(" "))


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def closest(search: Sequence[str], text: Sequence[str]) -> tuple[int, int] | None:
    """The range of lines that resembles a section most, or None where nothing does."""
    section, lines = [line.strip() for line in _trimmed(search)[:200]], [line.strip() for line in text[:FAR]]
    if not section or not lines:
        return None
    wanted = {line for line in section if len(line) > 3}
    shared = [sum(line in wanted for line in lines[i : i + len(section)]) for i in range(len(lines))]
    best = max(range(len(lines)), key=shared.__getitem__)
    if not shared[best]:
        likeness = [SequenceMatcher(None, section[0][:200], line[:200]).ratio() for line in lines]
        best = max(range(len(lines)), key=likeness.__getitem__)
        if likeness[best] < 0.5:
            return None
    else:
        best = next(i for i in range(best, len(lines)) if lines[i] in wanted)
    return best, min(len(lines), best + max(3, len(section)))
