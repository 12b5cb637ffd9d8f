"""What the local server says, and how it may go wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any

from agent.models.scripted import tokens


@dataclass(frozen=True)
class Faults:
    """How probable each misbehaviour is; one at most befalls a request, drawn from its place in the row of requests."""

    rate_limit: float = 0.0
    """429 with `Retry-After: 0.05`."""
    error: float = 0.0
    """500."""
    hang: float = 0.0
    """No answer until the server stops."""
    cut: float = 0.0
    """The connection ends in the midst of the answer."""
    empty: float = 0.0
    """A body of no bytes."""
    blank: float = 0.0
    """An answer without any text."""
    garbage: float = 0.0
    """Bytes that are no JSON."""
    wrong_json: float = 0.0
    """JSON that is no chat completion."""
    huge: float = 0.0
    """An answer of 64 MB."""
    trickle: float = 0.0
    """One byte every 50 ms."""

    def drawn(self, rng: Random) -> str:
        """The name of a misbehaviour, or ""."""
        place = rng.random()
        for each in fields(self):
            place -= getattr(self, each.name)
            if place < 0:
                return each.name
        return ""


UNBILLED = frozenset({"rate_limit", "error", "hang"})


def completion(model: str, messages: Sequence[Mapping[str, str]], text: str) -> dict[str, Any]:
    """A chat completion object."""
    prompt, written = sum(tokens(m["content"]) for m in messages), tokens(text)
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written},
    }
