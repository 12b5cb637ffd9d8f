"""The markdown around a program: thoughts, fences, and the paths named beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^`\n]{0,100})$")
PATH = re.compile(
    r"^[\s#*_>`/;-]{0,12}(?:(?:file|path|filename)\s{0,3}:?\s{0,3})?[`*\"]{0,4}([\w.][\w./-]{0,98}\.\w{1,8})[`*\":]{0,6}\s*$",
    re.IGNORECASE | re.ASCII,
)
"""A line that names a file and no more: `### program.py`, `**lib/rings.py**:`, `File: rings.py`."""


@dataclass(frozen=True)
class Fenced:
    """A fenced block of a reply."""

    lines: tuple[str, ...]
    path: str | None
    """The file named on the fence or on the line before it."""
    closed: bool


def without_thoughts(reply: str) -> str | None:
    """The reply after what a reasoning model thought aloud at first; None if that never ends.

    Only a beginning counts, since a program may speak of such tags too. A template may have opened the thoughts.
    """
    text = reply.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff \n\t")
    opened = re.match(r"<(think|thinking|reasoning)>", text)
    if opened:
        end = text.find(f"</{opened[1]}>")
        return None if end < 0 else text[end + len(opened[1]) + 3 :]
    closed = re.search(r"^</think>[ \t]*$", text, re.MULTILINE)
    return text[closed.end() :] if closed else text


def fenced(lines: Sequence[str]) -> Iterator[Fenced]:
    """The fenced blocks, in order. A fence ends at the first bare line of at least as many of its characters."""
    start, mark, path = -1, "", None
    for number, line in enumerate(lines):
        found = FENCE.match(line)
        if start < 0:
            if found:
                start, mark = number + 1, found[1]
                path = _named(found[2].split()) or heading(lines, number)
        elif found and not found[2].strip() and found[1].startswith(mark):
            yield Fenced(tuple(lines[start:number]), path, closed=True)
            start = -1
    if start >= 0:
        yield Fenced(tuple(lines[start:]), path, closed=False)


def heading(lines: Sequence[str], number: int) -> str | None:
    """The path on the last line before this one that is neither blank nor a fence."""
    for line in reversed(lines[max(0, number - 3) : number]):
        if line.strip() and not FENCE.match(line):
            found = PATH.match(line) if len(line) <= 200 else None
            return found[1] if found else None
    return None


def _named(words: Sequence[str]) -> str | None:
    """A path among the words on an opening fence: ```python rings.py."""
    for word in words[1:] if len(words) > 1 else words:
        found = PATH.match(word.rpartition("=")[2])
        if found:
            return found[1]
    return None


def safe(path: str) -> bool:
    """Whether a new file may have this path: relative, plain, going nowhere but down."""
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and str(pure) == path and len(pure.parts) <= 4
