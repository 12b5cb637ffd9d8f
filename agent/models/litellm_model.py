"""Every provider that litellm knows. It is imported when the first call needs it: it takes seconds and 160 MB."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.models import failures
from agent.models.answers import Price, parsed
from agent.types import Message, ModelRefused, Reply

MISSING = (
    "{name} needs litellm, which is not installed: pip install 'elites[litellm]', "
    "or give --base-url for an OpenAI-compatible server"
)
LOCAL_MAP = "LITELLM_LOCAL_MODEL_COST_MAP"
"""Set before the import, or litellm downloads a table of prices."""
MODE = "LITELLM_MODE"
"""Set before the import, or litellm takes addresses and keys from a `.env` file above its own folder."""


@dataclass(frozen=True)
class LiteLLM:
    """A model by litellm's name of it, `provider/model`. May be called from many threads.

    litellm bounds the silence between two pieces of an answer, not the whole of it.
    """

    name: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Arguments of litellm that hold keys, such as `api_key`."""
    base_url: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    timeout: float = 600.0
    price: Price | None = None
    """By default litellm's."""
    key_name: str = "the provider's API key"

    def reserve(self, messages: Sequence[Message]) -> float | None:
        """The most that answering may cost, in USD; None without a price or without `max_tokens`.

        Raises ModelRefused if litellm is not installed.
        """
        price = self._price()
        return None if price is None or self.max_tokens is None else price.most(messages, self.max_tokens)

    def __call__(self, messages: Sequence[Message]) -> Reply:
        """One attempt.

        Raises:
            ModelUnavailable: no connection, no answer in time, a status of 408, 409, 425, 429 or 5xx, an empty answer.
            ModelRefused: any other status, or litellm is not installed.
        """
        litellm = self._litellm()
        url = self.base_url or f"{self.name.split('/')[0]} (by litellm)"
        secrets = tuple(self.secrets.values())
        with failures.explained(failures.Place(self.name, url, self.key_name, self.timeout, secrets, invented=True)):
            answer: Any = litellm.completion(
                model=self.name,
                messages=[dict(m) for m in messages],
                timeout=self.timeout,
                max_retries=0,
                num_retries=0,
                drop_params=True,
                base_url=self.base_url,
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                **self.secrets,
            )
        return parsed(answer.model_dump_json(), self.name, self._price())

    def _litellm(self) -> Any:
        os.environ.setdefault(LOCAL_MAP, "True")
        os.environ.setdefault(MODE, "PRODUCTION")
        try:
            import litellm
        except ImportError as error:
            raise ModelRefused(MISSING.format(name=self.name)) from error
        litellm.suppress_debug_info = True
        return litellm

    def _price(self) -> Price | None:
        """Ours, or else litellm's for the name that was asked for: a server's own idea of its name proves nothing."""
        if self.price is not None:
            return self.price
        known: Mapping[str, Mapping[str, Any]] = self._litellm().model_cost
        rates = known.get(self.name) or known.get(self.name.partition("/")[2]) or {}
        prompt, completion = rates.get("input_cost_per_token"), rates.get("output_cost_per_token")
        if not isinstance(prompt, int | float) or not isinstance(completion, int | float):
            return None
        return Price(prompt * 1e6, completion * 1e6)

    def close(self) -> None:
        """Nothing to end: litellm keeps its own connections."""
