"""Text of others in a prompt: it is shown as data, and cannot pretend to be anything else."""

from __future__ import annotations

import re
import unicodedata

ESCAPES = re.compile(r"\x1b(?:\[[0-?]{0,20}[ -/]{0,5}[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)?|.)?", re.DOTALL)
"""Terminal escapes: control sequences, operating system commands, and the rest (ECMA-48, 5.4)."""

SPECIAL = re.compile(
    r"<(?=\||/?(?:think|thinking|reasoning|s|system|user|assistant|tool\w{0,20})>)|\[(?=/?INST\])", re.I
)
"""What opens the special tokens and tags of common chat templates."""


def plain(text: str, limit: int) -> str:
    """Text without escapes, control and invisible characters, at most `limit` characters: its beginning and its end.

    Line ends and tabs stay; so do letters of every script.
    """
    if len(text) > 4 * limit:
        text = text[: 2 * limit] + text[-2 * limit :]
    text = ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(
        c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    )
    text = SPECIAL.sub(lambda found: found[0] + " ", text)
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit - limit * 2 // 3
    return f"{text[:head]}\n[… {len(text) - limit:,} characters left out …]\n{text[-tail:]}"


def line(text: str, limit: int = 200) -> str:
    """Text on one line, in one piece, without what could end a code span."""
    flat = " ".join(plain(text, 4 * limit).replace("`", "'").split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def fence(text: str, language: str = "") -> str:
    """Text in a fence that is longer than any run of backticks or tildes in it."""
    longest = max((len(run) for run in re.findall(r"`+|~+", text)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}{language}\n{text.removesuffix(chr(10))}\n{mark}"


def quoted(text: str, limit: int) -> str:
    """Text of others as a fenced block of data."""
    return fence(plain(text, limit), "text")
