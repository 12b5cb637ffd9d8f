"""What passes through a harness: unseen, whole, and in order, whatever a program does with its pipes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from sandboxes import relay
from sandboxes.docker import DockerSandbox
from sandboxes.process import ProcessSandbox
from sandboxes.types import Needs, ProgramError, Sandbox

NEEDS = Needs(memory_mb=512, reply_mb=40.0)
SAME = "import os, time\ndef f(x): return x\n"


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    made: Sandbox = ProcessSandbox() if request.param == "process" else DockerSandbox(label="relay")
    made.warm(NEEDS)
    yield made
    made.close()


def pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


@pytest.mark.parametrize("moved", [relay.spliced, relay.copied], ids=["spliced", "copied"])
def test_bytes_are_moved_and_not_kept(moved: Callable[[int, int, int], int]) -> None:
    (source, into), (out, target) = pipe(), pipe()
    os.write(into, b"a mark and more")
    assert moved(source, target, 6) == 6
    assert os.read(out, 100) == b"a mark"
    assert moved(source, target, 100) == 9
    with pytest.raises(BlockingIOError):
        moved(source, target, 100)
    os.close(into)
    assert moved(source, target, 100) == 0
    os.close(out)
    assert not any(relay._BUFFER)
    for fd in (source, target):
        os.close(fd)


def test_what_nobody_wants_is_taken_and_not_kept() -> None:
    source, into = pipe()
    os.write(into, b"a mark and more")
    assert relay.dropped(source, 6) == 6
    assert relay.available(source) == 9
    assert not any(relay._BUFFER)
    os.close(source)
    os.close(into)


def test_a_piece_has_the_length_that_was_promised() -> None:
    """Else what a program takes back from its own pipe would make its next bytes a frame of ours."""
    (source, into), (out, target) = pipe(), pipe()
    outgoing = relay.Outgoing(target)
    os.write(into, b"few")
    outgoing.add(b"<")
    outgoing.move(source, 3)
    outgoing.move(source, 5)
    outgoing.add(b">")
    assert outgoing.owed(source) == 8
    outgoing.flush()
    assert os.read(out, 100) == b"<few" + bytes(5) + b">"
    assert not outgoing
    for fd in (source, into, out, target):
        os.close(fd)


def test_a_full_target_is_waited_for() -> None:
    (source, into), (out, target) = pipe(), pipe()
    outgoing = relay.Outgoing(target)
    data = os.urandom(1 << 20)
    got, at = b"", 0
    while len(got) < len(data):
        if at < len(data):
            size = os.write(into, data[at : at + 50_000])
            outgoing.move(source, size)
            at += size
        outgoing.flush()
        got += os.read(out, 30_000)
        outgoing.flush()
    assert got == data
    for fd in (source, into, out, target):
        os.close(fd)


def test_much_goes_through_in_both_directions(sandbox: Sandbox) -> None:
    array = np.random.default_rng(0).random(4_000_000)
    files = {"program.py": SAME, "large.py": "x = '" + "x" * 3_000_000 + "'\n"}
    with sandbox.start(files, NEEDS, {}) as program:
        for _ in range(2):
            back = program.call("f", array)
            assert isinstance(back, np.ndarray)
            assert np.array_equal(back, array)


@pytest.mark.parametrize("body", ["time.sleep(60)", "os.close(3); time.sleep(60)"], ids=["deaf", "closed"])
def test_a_program_that_does_not_read_its_request_is_ended_in_time(sandbox: Sandbox, body: str) -> None:
    source = f"import os, threading, time\nos.write(4, bytes([2,0,0,0,2,0,0,0]) + b'[]')\ndef g():\n    {body}\ng()\n"
    needs = Needs(seconds=1.0, memory_mb=256)
    with sandbox.start({"program.py": source}, needs, {}) as program:
        with pytest.raises(ProgramError, match="not in the form"):
            program.call("f")
        began = time.monotonic()
        with pytest.raises(ProgramError, match="more than 1 s"):
            program.call("f", np.zeros(4_000_000))
        assert time.monotonic() - began < 4
    with sandbox.start({"program.py": SAME}, NEEDS, {}) as program:
        assert program.call("f", 1) == 1
