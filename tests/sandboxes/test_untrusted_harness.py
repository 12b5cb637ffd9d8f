"""What a harness claims is bounded on our side, before anything is allocated for it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from sandboxes.box import Box
from sandboxes.docker import STREAM, DockerLink
from sandboxes.process import ProcessLink
from sandboxes.types import BoxLost, Needs, ProgramError

HARNESS = """
import os, struct, sys
def frame(kind, payload): return kind + struct.pack("<I", len(payload)) + payload
os.write(1, frame(b"R", b'{"doubt": ""}'))
os.read(0, 5)
claim, piece = eval(sys.argv[1])
os.write(1, claim)
while piece:
    os.write(1, piece)
"""
GIANT = 'b"D" + struct.pack("<I", 2**32 - 1), bytes(1 << 16)'
FLOOD = 'b"", frame(b"D", struct.pack("<II", 10, 2) + b"[]" + bytes(1 << 17))'
NEEDS = Needs(seconds=2.0, reply_mb=1.0)
MOST = 8 << 20
"""Bytes that we may allocate for a harness, whatever it says."""


def box(says: str) -> Box:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", HARNESS, says], stdin=theirs, stdout=theirs)
    made = Box(ProcessLink(process, ours, ""))
    made.wait_ready(20)
    made.begin({"program.py": ""}, NEEDS)
    return made


@pytest.fixture(autouse=True)
def _little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (GIANT, "says it has 4294967295"),
        ('b"X" + struct.pack("<I", 262145), bytes(1 << 16)', "says it has 262145"),
        ('frame(b"X", b"[" * 200_000), b""', "not speak as it should"),
        ('frame(b"X", b"\\"much\\""), b""', "not speak as it should"),
        ('frame(b"?", b""), b""', "there is no frame"),
    ],
)
def test_a_frame_that_cannot_be_is_refused_at_its_head(says: str, why: str) -> None:
    made = box(says)
    with pytest.raises(BoxLost, match=why):
        made.exchange(b"", NEEDS, time.monotonic() + 20)
    assert made.doubt
    made.finish()


def test_a_flood_of_replies_is_not_kept() -> None:
    made = box(FLOOD)
    with pytest.raises(ProgramError, match="more than one reply"):
        made.exchange(b"", NEEDS, time.monotonic() + 20)
    made.finish()
    assert made.doubt == "the box was ended"


def test_a_piece_of_a_container_s_stream_need_not_be_whole() -> None:
    client = docker.DockerClient(base_url="unix:///nowhere", version="1.41")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        link = DockerLink(client, Container({"Id": "none"}), ours)
        theirs.sendall(STREAM.pack(1, 2**32 - 1) + b"first")
        assert link.receive(time.monotonic() + 5) == b"first"
        theirs.sendall(b"second")
        assert link.receive(time.monotonic() + 5) == b"second"
    client.close()
