"""Tables of literal floats, folded into one name each: a program with long tables is parsed once, whatever stands in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from agent.mutation.literals import number

Whose: TypeAlias = Literal["ours", "theirs"]
MARK = re.compile(r"__table_(?:ours|theirs)_\d+__")
FLOAT = r"-?(?>\d++\.\d*+(?:[eE][-+]?\d++)?+|\.\d++(?:[eE][-+]?\d++)?+|\d++[eE][-+]?\d++)"
FLOATS = rf"\s*+{FLOAT}\s*+(?:,\s*+{FLOAT}\s*+)++,?+\s*+"
"""Nothing is tried twice: programs are not ours, and a long run of blanks must cost no more than its length."""
TABLE = re.compile(rf"(?<![\w)\]])(?:\({FLOATS}\)|\[{FLOATS}\])")
"""A tuple or list of at least two literal floats: what a name or bracket stands before is a call or an index, and none."""


@dataclass(frozen=True)
class Folded:
    """A text whose tables have names."""

    text: str
    tables: Mapping[str, str] = field(default_factory=dict)
    """The source of each table, by its name."""


def fold(text: str, whose: Whose = "ours") -> Folded:
    """The text with a name for each table. A text that has such names already stays as it is."""
    if MARK.search(text):
        return Folded(text)
    tables: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        mark = f"__table_{whose}_{len(tables)}__"
        tables[mark] = found.group()
        return mark

    return Folded(TABLE.sub(name, text), tables)


def unfold(text: str, tables: Mapping[str, str]) -> str:
    """The text with each table in the place of its name."""
    return MARK.sub(lambda found: tables.get(found.group(), found.group()), text)


def values(source: str) -> list[float]:
    """What stands in a table."""
    return [float(value) for value in source.strip("()[], \t\r\n").split(",")]


def like(source: str, new: Sequence[float]) -> str:
    """A table of the same kind with other values."""
    opening, closing = source[0], source[-1]
    return f"{opening}{', '.join(map(number, new))}{closing}"
