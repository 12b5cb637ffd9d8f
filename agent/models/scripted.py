"""Models that need no server: for tests, demonstrations and the local server."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import TypeAlias

from agent.types import Message, ModelError, ModelUnavailable, Reply

Answer: TypeAlias = Callable[[Sequence[Message]], str]


@dataclass
class _Turns:
    lock: Lock = field(default_factory=Lock)
    used: int = 0


@dataclass(frozen=True)
class Scripted:
    """A model that gives set answers, each once and in order, or whatever a function says. An exception is raised."""

    answers: Sequence[str | ModelError] | Answer
    name: str = "scripted"
    usd: float | None = 0.0
    """The cost of every call."""
    _turns: _Turns = field(default_factory=_Turns, repr=False, compare=False)

    def reserve(self, messages: Sequence[Message]) -> float | None:
        return self.usd

    def __call__(self, messages: Sequence[Message]) -> Reply:
        """Raises ModelUnavailable when every answer was given, and what the script says."""
        with self._turns.lock:
            turn = self._turns.used
            self._turns.used += 1
        if callable(self.answers):
            answer: str | ModelError = self.answers(messages)
        elif turn < len(self.answers):
            answer = self.answers[turn]
        else:
            raise ModelUnavailable(f"{self.name}: all {len(self.answers)} answers were given", usd=0.0)
        if isinstance(answer, ModelError):
            raise answer
        return Reply(answer, sum(tokens(m["content"]) for m in messages), tokens(answer), self.usd)

    @property
    def calls(self) -> int:
        return self._turns.used


def tokens(text: str) -> int:
    """A rough count: four bytes of UTF-8 a token."""
    return -(-len(text.encode("utf-8", "replace")) // 4)


def nudge(messages: Sequence[Message], turn: int = 0) -> str:
    """Change one number of the first program that is quoted: a pure function, without any insight."""
    text = "\n".join(m["content"] for m in messages)
    rng = Random(f"{turn}/{zlib.crc32(text.encode('utf-8', 'replace'))}")
    places = list(_numbers(text))
    if not places:
        return "I see no program with a number in it."
    line, match = rng.choice(places)
    number = match.group()
    if "." in number:
        new = f"{float(number) * rng.uniform(0.8, 1.25):.6g}"
    else:
        new = str(max(0, int(number) + rng.choice((-1, 1))))
    changed = line[: match.start()] + new + line[match.end() :]
    return f"One number is changed.\n\n<<<<<<< SEARCH\n{line}\n=======\n{changed}\n>>>>>>> REPLACE\n"


def _numbers(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Numbers, with their lines, in lines that occur once in the first fenced Python program."""
    program = re.search(r"^(`{3,})python\n(.*?)^\1$", text, re.M | re.S)
    body = program.group(2) if program else ""
    inside = re.search(r"EVOLVE-BLOCK-START.*?\n(.*?)^[^\n]*EVOLVE-BLOCK-END", body, re.M | re.S)
    lines = (inside.group(1) if inside else body).splitlines()
    for line in lines:
        if lines.count(line) == 1:
            yield from ((line, match) for match in re.finditer(r"(?<![\w.])\d{1,15}(?:\.\d{1,15})?(?![\w.])", line))
