"""A local server that speaks OpenAI's chat completions and gives scripted answers, well or badly.

To serve: `python -m agent.models.server --port 8000 --latency 1`.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from random import Random
from types import TracebackType
from typing import Any, Self

from agent.models.answers import Price
from agent.models.faults import UNBILLED, Faults, completion
from agent.models.scripted import Answer, nudge, tokens


@dataclass
class Tally:
    """What the server has done, by its own count."""

    calls: int = 0
    """Chat completions asked for, refused keys included."""
    answered: int = 0
    """Well answered."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    """What it would bill: for everything it has computed, however badly it was delivered."""
    faults: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    most_in_flight: int = 0


@dataclass
class Server:
    """A context manager: within it, `url` is the address of an OpenAI-compatible server on this machine.

    After it, no thread and no socket of the server is left.
    """

    answer: Answer | None = None
    """Messages → text, called from many threads; by default one number of the program is changed."""
    latency: float = 0.0
    """Seconds before an answer."""
    key: str | None = None
    """The key that it asks for; by default any."""
    price: Price | None = None
    faults: Faults = field(default_factory=Faults)
    seed: int = 0
    port: int = 0
    tally: Tally = field(default_factory=Tally, init=False)
    stopping: threading.Event = field(default_factory=threading.Event, init=False)
    lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _turns: count[int] = field(default_factory=count, init=False)
    _http: _Http | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        if self._http is None:
            raise RuntimeError("the server runs within `with Server(...) as server:` only")
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        """Raises OSError if the port is taken."""
        self._http = _Http(("127.0.0.1", self.port), self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="model server")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        if self._http is not None and self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._http.hang_up()
            self._http.server_close()

    def turn(self, messages: list[Mapping[str, str]]) -> tuple[str, str]:
        """The next answer and what goes wrong with it; counted."""
        with self.lock:
            turn = next(self._turns)
        fault = self.faults.drawn(Random(f"{self.seed}/{turn}/fault"))
        text = "" if fault in UNBILLED | {"blank"} else (self.answer or (lambda m: nudge(m, turn)))(messages)
        prompt, completion = sum(tokens(m["content"]) for m in messages), tokens(text)
        with self.lock:
            self.tally.faults[fault] += 1 if fault else 0
            if fault not in UNBILLED:
                self.tally.answered += not fault
                self.tally.prompt_tokens += prompt
                self.tally.completion_tokens += completion
                self.tally.usd += self.price.usd(prompt, completion) if self.price else 0.0
        return text, fault

    def enter(self, by: int) -> None:
        """Count requests that are in flight."""
        with self.lock:
            self.tally.calls += max(by, 0)
            self.tally.in_flight += by
            self.tally.most_in_flight = max(self.tally.most_in_flight, self.tally.in_flight)


class _Http(ThreadingHTTPServer):
    """One thread a connection; all of them are known, so that they can be ended."""

    daemon_threads = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], server: Server) -> None:
        self.model = server
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.model.lock:
            self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.model.lock:
            self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is none of our business."""

    def hang_up(self) -> None:
        with self.model.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it has ended by itself


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class' name)
        """Nothing is logged; the tally counts."""

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    def do_POST(self) -> None:
        model = self.server.model
        model.enter(1)
        try:
            self._completion(model)
        finally:
            model.enter(-1)

    def _completion(self, model: Server) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if model.key is not None and self.headers.get("Authorization") != f"Bearer {model.key}":
            return self._json(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        try:
            asked = json.loads(body)
            messages = [{"role": str(m["role"]), "content": str(m["content"])} for m in asked["messages"]]
        except (ValueError, KeyError, TypeError) as error:
            return self._json(400, {"error": {"message": f"no chat completion request: {error!r}"}})
        model.stopping.wait(model.latency)
        text, fault = model.turn(list(messages))
        answer = completion(str(asked.get("model", "")), messages, text)
        if fault:
            return self._misbehave(fault, answer)
        return self._json(200, answer)

    def _misbehave(self, fault: str, answer: Mapping[str, Any]) -> None:
        model = self.server.model
        if fault == "rate_limit":
            return self._json(429, {"error": {"message": "slow down"}}, {"Retry-After": "0.05"})
        if fault == "error":
            return self._json(500, {"error": {"message": "an error of the server"}})
        if fault == "hang":
            model.stopping.wait()
            self.close_connection = True
            return None
        if fault in ("huge", "trickle", "cut"):
            return self._deliver(fault, json.dumps(answer).encode())
        bodies = {"empty": b"", "garbage": b"\x00\xff<html>busy</html>", "wrong_json": b'{"ok": true}'}
        return self._bytes(200, bodies.get(fault) or (json.dumps(answer).encode() if fault == "blank" else b""))

    def _deliver(self, fault: str, body: bytes) -> None:
        """An answer that comes whole, but in a bad way, or not whole."""
        self._head(200, len(body) + 64_000_000 if fault == "huge" else len(body))
        self.close_connection = True
        if fault == "cut":
            self.wfile.write(body[: len(body) // 2])
        elif fault == "trickle":
            for i in range(len(body)):
                self.wfile.write(body[i : i + 1])
                self.wfile.flush()
                if self.server.model.stopping.wait(0.05):
                    return
        else:
            self.wfile.write(body[:-1])
            for _ in range(640):
                self.wfile.write(b" " * 100_000)
            self.wfile.write(body[-1:])

    def _json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self._bytes(status, json.dumps(value).encode(), headers)

    def _bytes(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)
        self.wfile.flush()

    def _head(self, status: int, length: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m agent.models.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument("--key", help="the key that is asked for")
    parser.add_argument("--seed", type=int, default=0)
    for each in fields(Faults):
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, default=0.0, metavar="PROBABILITY")
    asked = parser.parse_args()
    faults = Faults(**{each.name: getattr(asked, each.name) for each in fields(Faults)})
    with Server(latency=asked.latency, key=asked.key, faults=faults, seed=asked.seed, port=asked.port) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
