"""litellm against the local server, in a process of its own: it starts threads and loops that it never ends."""

from __future__ import annotations

import sys

import pytest

from agent.models.faults import Faults
from agent.models.litellm_model import LiteLLM
from agent.models.server import Server
from agent.types import ModelRefused, ModelUnavailable

ASK = [{"role": "user", "content": "Say something."}]


def main() -> None:
    with Server(answer=lambda messages: "hello", key="sk-12345678") as server:
        model = LiteLLM("openai/gpt-4o", {"api_key": "sk-12345678"}, server.url, max_tokens=100, timeout=5)
        reply = model(ASK)
        assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("hello", 4, 2), reply
        assert reply.usd is not None
        reserved = model.reserve(ASK)
        assert reserved is not None
        assert 0 < reply.usd < reserved < 0.01
        assert LiteLLM("openai/nobody-knows", max_tokens=1).reserve(ASK) is None
        refused(
            LiteLLM("openai/gpt-4o", {"api_key": "wrong"}, server.url, key_name="MY_KEY"),
            "the key in MY_KEY was refused",
        )
        refused(LiteLLM("openai/gpt-4o", {}, server.url, key_name="MY_KEY"), "was given none")
    refused(LiteLLM("anthropic/claude", key_name="ANTHROPIC_API_KEY"), "set ANTHROPIC_API_KEY in the environment")
    refused(LiteLLM("nobody/x"), "status 400")
    for faults, usd, text in (
        (Faults(rate_limit=1), 0.0, "status 429"),
        (Faults(error=1), None, "status 500"),
        (Faults(hang=1), None, "no whole answer within 0.5 s"),
        (Faults(cut=1), None, "openai/gpt-4o"),
    ):
        with Server(answer=lambda messages: "hello", faults=faults) as server:
            failed(LiteLLM("openai/gpt-4o", {"api_key": "sk"}, server.url, timeout=0.5), usd, text)
    sys.stdout.write("every call as expected\n")


def refused(model: LiteLLM, text: str) -> None:
    with pytest.raises(ModelRefused) as raised:
        model(ASK)
    assert text in str(raised.value), raised.value


def failed(model: LiteLLM, usd: float | None, text: str) -> None:
    with pytest.raises(ModelUnavailable) as raised:
        model(ASK)
    assert text in str(raised.value), raised.value
    assert raised.value.usd == usd, raised.value


if __name__ == "__main__":
    main()
