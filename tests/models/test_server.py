"""The local server: its rate, its faults by place, its tally, its command."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from agent.models.answers import Price
from agent.models.faults import Faults
from agent.models.openai_compatible import OpenAICompatible
from agent.models.server import Server
from agent.types import ModelUnavailable
from tests.models.cases import ASK, nothing_left

BODY = json.dumps({"model": "m", "messages": ASK})


def test_three_hundred_requests_a_second() -> None:
    with nothing_left(), Server(answer=lambda messages: "hello") as server:
        port = int(server.url.split(":")[2].split("/")[0])

        def ask(times: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for _ in range(times):
                connection.request("POST", "/v1/chat/completions", BODY)
                assert connection.getresponse().read()
            connection.close()

        begun = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, [75] * 8))
        assert 600 / (time.monotonic() - begun) > 300
        assert server.tally.answered == 600


def outcomes(seed: int) -> list[str]:
    faults = Faults(rate_limit=0.2, error=0.2, garbage=0.1)
    with Server(answer=lambda messages: "hello", faults=faults, seed=seed, price=Price(1, 1)) as server:
        with closing(OpenAICompatible("m", server.url)) as model:
            found = []
            for _ in range(40):
                try:
                    found.append(model(ASK).text)
                except ModelUnavailable as error:
                    found.append(str(error).partition(": ")[2][:20])
        tally = server.tally
        assert tally.calls == 40 == tally.answered + tally.faults.total()
        assert tally.usd == pytest.approx((tally.answered + tally.faults["garbage"]) * (4 + 2) / 1e6)
        return found


def test_faults_are_drawn_from_their_place() -> None:
    assert outcomes(1) == outcomes(1) != outcomes(2)


def test_a_server_outside_its_block() -> None:
    with pytest.raises(RuntimeError, match="within"):
        _ = Server().url


def test_the_command() -> None:
    command = [sys.executable, "-m", "agent.models.server", "--port", "0", "--key", "k"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        program = [{"role": "user", "content": "```python\nx = 1.5\n```"}]
        with closing(OpenAICompatible("m", url, "k")) as model:
            assert "<<<<<<< SEARCH\nx = 1.5\n=======\nx = " in model(program).text
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
