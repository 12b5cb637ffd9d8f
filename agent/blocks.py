"""EVOLVE-BLOCKs: the parts of a program that the search may change (AlphaEvolve, arXiv 2506.13131, section 2.1).

A block lies between a line with EVOLVE-BLOCK-START and one with EVOLVE-BLOCK-END, in a comment of any style. A program
without any such line may change everywhere; in one with them, all else stays byte-identical: other files, and the
markers themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandboxes.types import Files

MARKER = re.compile(r"""(?:[^\w"'\n]{0,20}|\w{1,3}\s{1,8})EVOLVE-BLOCK-(START|END)(?![\w-])""")
"""At the beginning of a line, after its indentation: `#`, `//`, `/*`, `<!--`, `--`, `%`, `;`, `REM`, …"""


class BlockError(ValueError):
    """The markers of a text do not pair up."""


@dataclass(frozen=True)
class Parts:
    """A text cut at its markers, as lines with their ends."""

    outside: tuple[tuple[str, ...], ...]
    """What must stay, markers included: one more piece than there are blocks."""
    inside: tuple[tuple[str, ...], ...]
    """What may change."""

    def join(self, inside: Sequence[Sequence[str]]) -> str:
        """The text with other blocks."""
        pieces = [*self.outside[0]]
        for block, after in zip(inside, self.outside[1:], strict=True):
            pieces += [*block, *after]
        return "".join(pieces)

    def spans(self) -> list[tuple[int, int]]:
        """The blocks as ranges of line numbers, counted from 0, the end excluded."""
        spans, line = [], 0
        for before, block in zip(self.outside, self.inside, strict=False):
            spans.append((line + len(before), line + len(before) + len(block)))
            line = spans[-1][1]
        return spans


def lines_of(text: str) -> list[str]:
    """Lines with their ends, cut at line feeds only."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def parts(text: str) -> Parts:
    """Cut a text at its markers.

    Raises:
        BlockError: a marker has no partner, or blocks are nested; the text says where.
    """
    outside: list[tuple[str, ...]] = []
    inside: list[tuple[str, ...]] = []
    piece: list[str] = []
    for number, line in enumerate(lines_of(text), 1):
        found = MARKER.match(line.strip()) if "EVOLVE-BLOCK-" in line else None
        if found is None:
            piece.append(line)
            continue
        if (found[1] == "END") != (len(outside) > len(inside)):
            raise BlockError(f"line {number} has an EVOLVE-BLOCK-{found[1]} without its partner")
        if found[1] == "START":
            outside.append((*piece, line))
            piece = []
        else:
            inside.append(tuple(piece))
            piece = [line]
    if len(outside) > len(inside):
        raise BlockError("the last EVOLVE-BLOCK-START has no EVOLVE-BLOCK-END after it")
    return Parts((*outside, tuple(piece)), tuple(inside))


def marked(files: Files) -> bool:
    """Whether any file has a block, so that all else must stay. Raises BlockError."""
    return any(parts(text).inside for text in files.values())


def trespass(parent: Files, child: Files) -> str | None:
    """Where a child differs from its parent outside of the blocks, or None. Raises BlockError."""
    if not marked(parent):
        return None
    for path in sorted(parent.keys() | child.keys()):
        if path not in child or path not in parent:
            return f"{path}: where the program has an EVOLVE-BLOCK, no file may be added or removed"
        old = parts(parent[path])
        if not old.inside:
            if child[path] != parent[path]:
                return f"{path} has no EVOLVE-BLOCK and must stay as it is"
            continue
        try:
            new = parts(child[path])
        except BlockError as error:
            return f"{path}: the markers must stay as they are: {error}"
        if new.outside != old.outside:
            return f"{path}: {_difference(old, new)}"
    return None


def _difference(old: Parts, new: Parts) -> str:
    if len(old.outside) != len(new.outside):
        return "EVOLVE-BLOCK markers were added or removed; they must stay as they are"
    for before, after in zip(old.outside, new.outside, strict=True):
        for ours, theirs in zip(before, after, strict=False):
            if ours != theirs:
                return f"only lines inside the EVOLVE-BLOCK may change; this one lies outside: {ours.strip()[:200]!r}"
    return "only lines inside the EVOLVE-BLOCK may change; lines outside it were added or removed"
