"""What came over the wire becomes a `Reply`, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from agent.types import Message, ModelUnavailable, Reply

MESSAGE_TOKENS = 16
"""More than any chat format adds to a message."""


@dataclass(frozen=True)
class Price:
    """What a model costs, in USD for a million tokens."""

    prompt: float
    completion: float

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6

    def most(self, messages: Sequence[Message], max_tokens: int) -> float:
        """The most that an answer of at most `max_tokens` may cost: a token is at least one byte of UTF-8."""
        length = sum(len(m["content"].encode("utf-8", "replace")) + MESSAGE_TOKENS for m in messages)
        return self.usd(length + MESSAGE_TOKENS, max_tokens)


class _Text(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Text
    finish_reason: str | None = None


class _Tokens(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _Answer(BaseModel):
    """The part of a chat completion that we read (OpenAI API reference, "The chat completion object")."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Tokens | None = None


def parsed(body: bytes | str, model: str, price: Price | None) -> Reply:
    """The reply in a chat completion's JSON.

    Raises:
        ModelUnavailable: it is no chat completion, or holds no text (the model was billed for it all the same).
    """
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "body"
        start = body[:80] if body else "nothing"
        raise ModelUnavailable(
            f"{model} answered with something other than a chat completion ({place}: {first['msg']}); "
            f"it begins with {start!r}"
        ) from error
    tokens = answer.usage
    usd = price.usd(tokens.prompt_tokens, tokens.completion_tokens) if price and tokens else None
    text = answer.choices[0].message.content
    if not text or not text.strip():
        why = answer.choices[0].message.refusal or answer.choices[0].finish_reason or "it gave no reason"
        raise ModelUnavailable(f"{model} answered without any text ({why[:200]})", usd=usd)
    if tokens is None:
        return Reply(text)
    return Reply(text, tokens.prompt_tokens, tokens.completion_tokens, usd)
