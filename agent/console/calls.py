"""What a step asked models, and what they answered, as the file has it: anybody may have written it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from agent.console.text import block, line, number
from archive.types import Call, Settled

Paid = Sequence[tuple[Call, Settled | None]]


def facts(calls: Paid) -> list[dict[str, Any]]:
    """Everything, as `show --json` prints it."""
    return [
        {
            "number": call.number,
            "purpose": call.purpose,
            "model": call.model,
            "prompt": messages(call),
            "reply": settled.reply if settled else None,
            "error": settled.error if settled else "",
            "ended": settled is not None,
            "prompt_tokens": settled.prompt_tokens if settled else None,
            "completion_tokens": settled.completion_tokens if settled else None,
            "usd": settled.usd if settled else None,
            "reserved": call.reserved,
            "seconds": settled.seconds if settled else None,
        }
        for call, settled in calls
    ]


def lines(calls: Paid) -> Iterator[str]:
    """A line for each call."""
    for call, settled in calls:
        yield f"call      {call.number}, {line(call.purpose, 40)}, of {line(call.model)}: {_end(settled)}"


def whole(calls: Paid) -> Iterator[str]:
    """Each prompt and reply in full, indented: no line of them can pose as one of ours."""
    for call, settled in calls:
        for message in messages(call):
            yield f"\n--- call {call.number}: {line(message['role'], 20)}"
            yield _indented(message["content"])
        if settled is not None:
            yield f"\n--- call {call.number}: {'reply' if settled.reply is not None else 'error'}"
            yield _indented(settled.reply if settled.reply is not None else settled.error)


def messages(call: Call) -> list[dict[str, str]]:
    """The prompt's messages; the whole text as one where it is no list of them."""
    try:
        told = json.loads(call.prompt)
        return [{"role": str(message["role"]), "content": str(message["content"])} for message in told]
    except (ValueError, KeyError, TypeError, RecursionError):
        return [{"role": "prompt", "content": call.prompt}]


def _indented(text: str) -> str:
    return block("", text)


def _end(settled: Settled | None) -> str:
    if settled is None:
        return "no answer on record"
    told = [
        f"{_count(settled.prompt_tokens)} tokens in, {_count(settled.completion_tokens)} out",
        "no price known" if settled.usd is None else f"${number(settled.usd, 4)}",
        f"{settled.seconds:.3g} s",
    ]
    return ", ".join([*([f"failed ({line(settled.error)})"] if settled.reply is None else []), *told])


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)
