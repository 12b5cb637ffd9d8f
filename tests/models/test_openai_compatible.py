"""The OpenAI-compatible model over real HTTP, against the shipped server, well and badly behaved."""

from __future__ import annotations

import gzip
import re
import resource
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from agent.models.answers import Price
from agent.models.faults import Faults
from agent.models.openai_compatible import OpenAICompatible
from agent.models.server import Server
from agent.types import ModelError, ModelRefused, ModelUnavailable
from tests.models.cases import ASK, nothing_left

PRICE = Price(2.0, 8.0)


@pytest.fixture(autouse=True)
def _no_leak() -> Iterator[None]:
    with nothing_left():
        yield


def failure(faults: Faults, timeout: float = 5.0) -> ModelError:
    with (
        Server(answer=lambda messages: "hello" * 20, faults=faults) as server,
        closing(OpenAICompatible("m", server.url, timeout=timeout, price=PRICE)) as model,
        pytest.raises(ModelError) as raised,
    ):
        model(ASK)
    return raised.value


def test_an_answer_with_tokens_and_dollars() -> None:
    with (
        Server(answer=lambda messages: f"{len(messages)} π", key="sk-12345678", price=PRICE) as server,
        closing(OpenAICompatible("m", server.url, "sk-12345678", 0.5, 100, price=PRICE)) as model,
    ):
        reply = model(ASK)
        assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("1 π", 4, 1)
        assert reply.usd is not None
        assert reply.usd == pytest.approx((2 * 4 + 8 * 1) / 1e6) == pytest.approx(server.tally.usd)
        reserved = model.reserve(ASK)
        assert reserved is not None
        assert reply.usd <= reserved < 0.001
        assert "sk-12345678" not in repr(model)


def test_what_cannot_be_reserved() -> None:
    assert OpenAICompatible("m").reserve(ASK) is None
    assert OpenAICompatible("m", price=PRICE).reserve(ASK) is None
    assert OpenAICompatible("m", price=Price(0, 0)).reserve(ASK) == 0


BAD = {
    "rate_limit": ("status 429: .*slow down", 0.0),
    "error": ("status 500", 0.0),
    "cut": ("broke before its answer was complete", None),
    "empty": ("something other than a chat completion .*begins with 'nothing'", None),
    "blank": ("without any text", 2.0 * 4 / 1e6),
    "garbage": ("something other than a chat completion", None),
    "wrong_json": ("something other than a chat completion .choices", None),
    "huge": ("too large: more than 8,000,000 bytes", None),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_server_that_misbehaves(fault: str) -> None:
    text, usd = BAD[fault]
    error = failure(Faults(**{fault: 1.0}))
    assert isinstance(error, ModelUnavailable)
    assert error.usd == usd
    assert error.retry_after == (0.05 if fault == "rate_limit" else None)
    assert re.search(text, str(error))


@pytest.mark.parametrize("fault", ["hang", "trickle"])
def test_the_timeout_is_for_the_whole_answer(fault: str) -> None:
    begun = time.monotonic()
    error = failure(Faults(**{fault: 1.0}), timeout=0.6)
    assert time.monotonic() - begun < 1.5
    assert isinstance(error, ModelUnavailable)
    assert "no whole answer within 0.6 s" in str(error)
    assert error.usd is None


@contextmanager
def raw_server(answer: Callable[[bytes], bytes], wait: float = 0.0, stay: bool = True) -> Iterator[str]:
    """The address of a server that answers one request with bytes of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = b""
                while b"messages" not in asked:
                    asked += connection.recv(65536)
                time.sleep(wait)
                connection.sendall(answer(asked))
                while stay and connection.recv(65536):
                    pass

        served = pool.submit(serve)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        served.result()


@pytest.mark.parametrize("status", [b"200 OK", b"500 no"])
def test_a_body_that_stops_is_cut_at_the_deadline(status: bytes) -> None:
    """The head comes late and the body never: the second wait is only for what is left."""
    head = b"HTTP/1.1 " + status + b"\r\n\r\nsome"
    with raw_server(lambda _: head, wait=0.4) as url, closing(OpenAICompatible("m", url, timeout=0.6)) as model:
        begun = time.monotonic()
        with pytest.raises(ModelUnavailable, match=r"no whole answer within 0\.6 s"):
            model(ASK)
        assert time.monotonic() - begun < 0.9


@pytest.mark.parametrize("status", [b"200 OK", b"500 no", b"401 no"])
def test_a_body_that_is_cut(status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nContent-Length: 99\r\n\r\nsome"
    with (
        raw_server(lambda _: head, stay=False) as url,
        closing(OpenAICompatible("m", url)) as model,
        pytest.raises(ModelUnavailable, match="broke before its answer was complete"),
    ):
        model(ASK)


def test_a_compressed_flood_is_refused() -> None:
    body = gzip.compress(b" " * 200_000_000, 1)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        raw_server(lambda _: head + body, stay=False) as url,
        closing(OpenAICompatible("m", url)) as model,
        pytest.raises(ModelUnavailable, match="too large: more than 125,000 bytes"),
    ):
        model(ASK)


def test_a_huge_answer_takes_little_memory() -> None:
    failure(Faults(huge=1.0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failure(Faults(huge=1.0))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KiB


def test_a_wrong_key() -> None:
    with (
        Server(key="right") as server,
        closing(OpenAICompatible("m", server.url, "sk-wrong-key", key_name="MY_KEY")) as m,
    ):
        with pytest.raises(ModelRefused, match=f"the key in MY_KEY was refused by {server.url}"):
            m(ASK)
        assert server.tally.answered == 0


def test_no_key_where_one_is_asked_for() -> None:
    says = "asks for a key and was given none .*: set MY_KEY in the environment"
    with (
        Server(key="right") as server,
        closing(OpenAICompatible("m", server.url, key_name="MY_KEY")) as m,
        pytest.raises(ModelRefused, match=says),
    ):
        m(ASK)


def test_a_key_that_a_server_repeats_is_not_shown() -> None:
    def answer(asked: bytes) -> bytes:
        key = asked.split(b"Bearer ")[1].split(b"\r")[0]
        body = b'{"error": {"message": "what is ' + key + b'\x1b[31m?"}}'
        return b"HTTP/1.1 401 no\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    with raw_server(answer) as url, closing(OpenAICompatible("m", url, "sk-secret-12345")) as model:
        with pytest.raises(ModelRefused) as raised:
            model(ASK)
        model.close()
    assert "what is ***" in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_an_address_that_is_none() -> None:
    with pytest.raises(ModelRefused, match="is no address of a server"):
        OpenAICompatible("m", "http://h:port/v1")(ASK)


def test_an_address_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    with closing(OpenAICompatible("m", url)) as model:
        with pytest.raises(ModelUnavailable, match=f"{url} cannot be reached .*does a server listen there") as raised:
            model(ASK)
        assert raised.value.usd == 0


def test_a_request_that_is_not_taken() -> None:
    with (
        Server() as server,
        closing(OpenAICompatible("m", server.url)) as model,
        pytest.raises(ModelRefused, match="did not take the request, status 400"),
    ):
        model([{"role": "user", "text": "no content"}])


def test_sixty_four_in_flight() -> None:
    with Server(answer=lambda messages: "hello", latency=1.0) as server:
        with closing(OpenAICompatible("m", server.url)) as model, ThreadPoolExecutor(64) as pool:
            begun = time.monotonic()
            assert [reply.text for reply in pool.map(lambda _: model(ASK), range(192))] == ["hello"] * 192
            assert time.monotonic() - begun < 8
        assert server.tally.most_in_flight == 64
        assert server.tally.calls == server.tally.answered == 192


def test_closing_twice_and_going_on() -> None:
    with Server(answer=lambda messages: "hello") as server:
        model = OpenAICompatible("m", server.url)
        for _ in range(2):
            assert model(ASK).text == "hello"
            model.close()
            model.close()
