"""Any server that speaks OpenAI's chat completions, through the `openai` package."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.models import failures
from agent.models.answers import Price, parsed
from agent.types import Message, Reply

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI = "https://api.openai.com/v1"
REPLY_BYTES = 8_000_000
"""The largest answer that is read, JSON and all."""


@dataclass
class _Shared:
    """The one client of a model, made when it is first needed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    client: OpenAI | None = None


@dataclass(frozen=True)
class OpenAICompatible:
    """A model behind an OpenAI-compatible address. May be called from many threads; whoever made it closes it."""

    name: str
    base_url: str | None = None
    """By default OpenAI's."""
    api_key: str | None = field(default=None, repr=False)
    """A server of one's own may need none."""
    temperature: float | None = None
    max_tokens: int | None = None
    """Tokens of a reply, thoughts included; by default as many as the server allows."""
    timeout: float = 600.0
    """Seconds for the whole answer."""
    price: Price | None = None
    key_name: str = "OPENAI_API_KEY"
    """What messages call the key."""
    _shared: _Shared = field(default_factory=_Shared, repr=False, compare=False)

    @property
    def url(self) -> str:
        return self.base_url or OPENAI

    def reserve(self, messages: Sequence[Message]) -> float | None:
        """The most that answering may cost, in USD; None without a price or without `max_tokens`."""
        if self.price is None or (self.max_tokens is None and self.price.completion > 0):
            return None
        return self.price.most(messages, self.max_tokens or 0)

    def __call__(self, messages: Sequence[Message]) -> Reply:
        """One attempt.

        Raises:
            ModelUnavailable: no connection, no whole answer in time, a status of 408, 409, 425, 429 or 5xx, or an
                answer that is no chat completion, is empty or has more than 8 MB. `usd` is 0 where it was not billed.
            ModelRefused: any other status: a wrong key, an unknown model, a request that the server does not take.
        """
        place = failures.Place(self.name, self.url, self.key_name, self.timeout, (self.api_key or "",))
        with failures.explained(place):
            # Arguments of the API, typed more narrowly there than a message of ours is.
            create: Any = self._client().chat.completions.with_raw_response.create
            body: bytes = create(model=self.name, messages=[dict(m) for m in messages], **self._options()).content
        return parsed(body, self.name, self.price)

    def _options(self) -> dict[str, float | int]:
        options: dict[str, float | int] = {}
        if self.temperature is not None:
            options["temperature"] = self.temperature
        if self.max_tokens is not None:
            # OpenAI's reasoning models take only the new name, other servers often only the old one.
            options["max_completion_tokens" if self.url == OPENAI else "max_tokens"] = self.max_tokens
        return options

    def _client(self) -> OpenAI:
        import openai

        from agent.models.bounded import hooks

        with self._shared.lock:
            if self._shared.client is None:
                http = openai.DefaultHttpxClient(
                    event_hooks=hooks(self.timeout, REPLY_BYTES), headers={"Accept-Encoding": "identity"}
                )
                self._shared.client = openai.OpenAI(
                    api_key=self.api_key or "none",
                    base_url=self.url,
                    timeout=self.timeout,
                    max_retries=0,
                    http_client=http,
                )
            return self._shared.client

    def close(self) -> None:
        """End every connection. Calling it again does nothing; calling the model again opens new ones."""
        with self._shared.lock:
            if self._shared.client is not None:
                self._shared.client.close()
                self._shared.client = None
