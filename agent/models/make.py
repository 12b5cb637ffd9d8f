"""The model that a name stands for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from agent.keys import Keys, take_keys
from agent.models.answers import Price
from agent.models.litellm_model import LiteLLM
from agent.models.openai_compatible import OpenAICompatible
from agent.types import ModelRefused

KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
    "fireworks_ai": ("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY"),
    "huggingface": ("HUGGINGFACE_API_KEY", "HF_TOKEN"),
    "bedrock": ("AWS_BEARER_TOKEN_BEDROCK",),
}
"""What litellm's providers call their keys, where that is not PROVIDER_API_KEY."""

KEYED = frozenset(
    {"anthropic", "cohere", "deepseek", "fireworks_ai", "gemini", "groq", "mistral", "openrouter", "together_ai", "xai"}
)
"""Providers that answer nobody without a key. Of others, one on this machine for instance, only they know."""

AWS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
"""Arguments of litellm that are variables of the same name elsewhere. It finds the region and the profile by itself."""


@dataclass(frozen=True)
class ModelSettings:
    """What a user says of a model."""

    name: str
    """`gpt-5`, `openai/gpt-5`, or with a provider that litellm knows: `anthropic/claude-…`."""
    base_url: str | None = None
    """An OpenAI-compatible address; the name is then passed on as it is."""
    key: str | None = None
    """The name of the variable that holds the key; by default the provider's usual one."""
    temperature: float | None = None
    max_tokens: int | None = None
    """Tokens of a reply, thoughts included. A budget in USD needs it, so that the most a call may cost is known."""
    timeout: float = 600.0
    price: Price | None = None


def make_model(
    settings: ModelSettings, keys: Keys | None = None, environ: Mapping[str, str] = os.environ
) -> OpenAICompatible | LiteLLM:
    """The model, not yet contacted. Whoever made it closes it.

    Args:
        keys: what `take_keys` took; by default what it would take from `environ`, which stays as it is.
        environ: where OPENAI_BASE_URL is looked up.

    Raises:
        ModelRefused: there is no key for it, and it needs one; the text names the variable to set.
    """
    keys = take_keys(dict(environ)) if keys is None else keys
    base_url = settings.base_url or environ.get("OPENAI_BASE_URL") or None
    provider, _, rest = settings.name.partition("/")
    if base_url is None and rest and provider != "openai":
        return _litellm(settings, keys, provider)
    name = rest if base_url is None and rest else settings.name
    variable = settings.key or "OPENAI_API_KEY"
    key = _key(settings, keys, variable, base_url)
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise ModelRefused(f"the address of {settings.name} must begin with http:// or https://, not {base_url!r}")
    return OpenAICompatible(
        name,
        base_url,
        key,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
        price=settings.price,
        key_name=variable,
    )


def _key(settings: ModelSettings, keys: Keys, variable: str, base_url: str | None) -> str | None:
    key = keys.get(variable)
    if key is None and base_url is None:
        raise ModelRefused(
            f"no key for {settings.name}: set {variable} in the environment, or name an OpenAI-compatible server of "
            "your own with --base-url"
        )
    if key is not None and not (key.isascii() and key.isprintable() and key == key.strip()):
        raise ModelRefused(
            f"{variable} holds characters that no key has: a line end, a blank or a letter with an accent"
        )
    return key


def _litellm(settings: ModelSettings, keys: Keys, provider: str) -> LiteLLM:
    names = (settings.key,) if settings.key else KEY_NAMES.get(provider, (f"{provider.upper()}_API_KEY",))
    found = keys.first(names)
    if found is None and provider in KEYED:
        raise ModelRefused(f"no key for {settings.name}: set {' or '.join(names)} in the environment")
    secrets = {"api_key": found[1]} if found else {}
    if provider in ("bedrock", "sagemaker"):
        secrets |= {name: value for name in AWS if (value := keys.get(name.upper()))}
    return LiteLLM(
        settings.name,
        secrets,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
        price=settings.price,
        key_name=found[0] if found else names[0],
    )
