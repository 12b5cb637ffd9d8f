"""Replies that are small to send and large to read."""

from __future__ import annotations

import time

import pytest

from sandboxes.process import ProcessSandbox
from sandboxes.types import Needs, ProgramError
from sandboxes.wire import HEAD, MANY, WireError, decode, encode


def test_a_message_of_nothing_but_brackets_is_refused_before_it_is_read() -> None:
    text = b'{"ok":[' + b",".join([b"[]"] * 5_000_000) + b"]}"
    began = time.monotonic()
    with pytest.raises(WireError, match="lists and dicts"):
        decode(HEAD.pack(len(text), len(text)) + text)
    assert time.monotonic() - began < 1.0
    with pytest.raises(WireError, match="lists and dicts"):
        encode([[]] * (MANY + 1), 1 << 26)
    assert decode(encode([[0, 1]] * 1000, 1 << 26)) == [[0, 1]] * 1000


def test_the_time_to_read_replies_counts() -> None:
    source = "def f():\n    return [''] * 1_500_000\n"
    box = ProcessSandbox()
    try:
        with box.start({"program.py": source}, Needs(seconds=60, memory_mb=1024), {}) as program:
            program.call("f")
            began = time.process_time()
            program.call("f")
            ours = time.process_time() - began
            with pytest.raises(ProgramError):
                program.call("absent")
            assert ours < program.usage().wall_seconds
            assert len(program.call("f")) == 1_500_000  # type: ignore[arg-type]
    finally:
        box.close()
