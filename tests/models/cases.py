"""What the tests of models share: leaks of threads and sockets, and files to write calls into."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.store import Archive
from archive.types import Candidate, Run, Selection
from evaluators.types import Evaluation, Reference

ASK = [{"role": "user", "content": "Say something."}]


def sockets() -> int:
    """Open sockets of this process."""
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(os.readlink(link).startswith("socket:") for link in links if os.path.islink(link))


@contextmanager
def nothing_left() -> Iterator[None]:
    """No thread and no socket more at the end than at the beginning."""
    threads, before = set(threading.enumerate()), sockets()
    yield
    until = time.monotonic() + 2
    while time.monotonic() < until and (set(threading.enumerate()) - threads or sockets() > before):
        time.sleep(0.01)
    assert set(threading.enumerate()) - threads == set()
    assert sockets() <= before


def run_file(path: Path, steps: int = 1) -> Archive:
    """A new file with a seed and some steps begun."""
    run = Run(Reference("points"), "d1", "maximize", 1, "", 1, 20, "{}", "{}")
    archive = Archive.create(path, run)
    archive.add(Candidate(0, {"program.py": "x = 1\n"}, (), "seed", key="seed"))
    archive.record(0, Evaluation("scored", 1.0, digest="d1"))
    for step in range(1, steps + 1):
        archive.begin(step, lambda view: (0, Selection(view.seed)))
    return archive
