"""Where a program may be changed: between EVOLVE-BLOCK markers, or anywhere in a file that has none."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

START = re.compile(r"^[ \t]*#[ \t]*EVOLVE-BLOCK-START\b.*$", re.MULTILINE)
END = re.compile(r"^[ \t]*#[ \t]*EVOLVE-BLOCK-END\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A part of a file that may be changed, and what stands around it."""

    before: str
    text: str
    """Dedented, so that it can be parsed by itself."""
    after: str
    indent: str = ""

    def around(self, text: str) -> str:
        """The file with another text in this block; everything else byte for byte."""
        return self.before + (textwrap.indent(text, self.indent) if self.indent else text) + self.after


def blocks(source: str) -> list[Block]:
    """The parts of a file that may be changed, in order; the whole file where there are no markers.

    A marker without its partner ends nothing and starts nothing.
    """
    found, position = [], 0
    while (start := START.search(source, position)) and (end := END.search(source, start.end())):
        inner = source[start.end() : end.start()]
        first = len(inner) - len(inner.lstrip("\r\n"))
        found.append(_block(source, start.end() + first, end.start()))
        position = end.end()
    if found or START.search(source) or END.search(source):
        return found
    return [Block("", source, "")]


def _block(source: str, low: int, high: int) -> Block:
    text = source[low:high]
    plain = textwrap.dedent(text)
    line = next((line for line in text.splitlines() if line.strip()), "")
    indent = line[: len(line) - len(line.lstrip())]
    if indent and textwrap.indent(plain, indent) == text:
        return Block(source[:low], plain, source[high:], indent)
    return Block(source[:low], text, source[high:])
