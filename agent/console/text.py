"""What is shown, made safe to show: candidates and models write text too, and a terminal obeys what it is sent."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]", re.S
)
"""Terminal sequences: CSI, the strings (OSC, DCS, SOS, PM, APC), the two-character ones, and the one-byte CSI."""
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that show nothing or move what follows: control, format (bidi), lone surrogates, separators."""


def clean(text: str) -> str:
    """The text without terminal sequences, control and format characters; newlines stay, a tab is four spaces."""
    bare = ESCAPES.sub("", text.replace("\r\n", "\n").replace("\t", "    "))
    return "".join(c for c in bare if c == "\n" or unicodedata.category(c) not in HIDDEN)


def line(text: str, width: int = 100) -> str:
    """The text on one line of at most `width` characters."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def block(label: str, text: str) -> str:
    """A label and a text after it, its further lines indented: none of them can pose as a line of ours."""
    return f"{label:<10}" + clean(text).strip().replace("\n", "\n" + " " * 10)


def number(value: float | None, digits: int = 10, *, exact: bool = False) -> str:
    """A value as people read it, or with all its digits; `-` where there is none."""
    if value is None:
        return "-"
    return repr(float(value)) if exact else f"{value:.{digits}g}"


def say(text: str = "") -> None:
    """A line on standard output."""
    typer.echo(clean(text))


def warn(text: str) -> None:
    """A line on standard error."""
    typer.echo(clean(text), err=True)


def say_json(value: Mapping[str, Any]) -> None:
    """One object on standard output. ASCII only, so that nothing in it reaches the terminal as a command."""
    typer.echo(json.dumps(plain(value), allow_nan=False, indent=2))


def columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table: numbers to the right, words to the left, the last column as long as it is."""
    table = [list(header), *([line(cell, 120) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    right = [all(_numeric(row[i]) for row in table[1:]) for i in range(len(header))]
    for row in table:
        cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        say("  ".join(cells).rstrip())


def plain(value: Any) -> Any:
    """Data as JSON has it: arrays become lists, a complex number `{"re": …, "im": …}`, what is not finite its name."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return {"re": plain(value.real), "im": plain(value.imag)}
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return plain(value.tolist())


def _numeric(cell: str) -> bool:
    return cell == "-" or re.fullmatch(r"[-+]?[\d.,]+(e[-+]?\d+)?%?", cell) is not None
