"""What the harness reads of its own machine: users, memory, processor time. Everything may be missing."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import select
import time
from collections.abc import Iterator
from pathlib import Path

SETUID = 7
OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def own_users() -> Iterator[int] | None:
    """Users that nobody else on this machine uses, one after another; None where users cannot be changed."""
    if os.geteuid() != 0 or not _capable(SETUID):
        return None
    size = 1 << 31
    with contextlib.suppress(OSError):
        size = min(size, max(int(first) + int(n) for first, _, n in _lines("/proc/self/uid_map")))
    if size < 65536:
        return None
    low, high = (20_000, 60_000) if size < 1 << 24 else (1 << 20, size - (1 << 20))
    first = random.SystemRandom().randrange(low, high)
    return (low + (first - low + step) % (high - low) for step in itertools.count())


def _capable(number: int) -> bool:
    with contextlib.suppress(OSError):
        for words in _lines("/proc/self/status"):
            if words[0] == "CapEff:":
                return bool(int(words[1], 16) >> number & 1)
    return True


def kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2] if part.isdigit())


def address_space() -> int | None:
    """Bytes of address space that this process has now."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def out_of_memory() -> int:
    """How often the kernel has killed something in this box for memory (cgroup v2, else v1)."""
    for place in OOM_COUNTERS:
        with contextlib.suppress(OSError):
            return sum(int(words[1]) for words in _lines(place) if words[0] == "oom_kill")
    return 0


def used_so_far(pid: int) -> dict[str, float]:
    """Processor seconds and peak KiB of a living process with the children it has waited for."""
    cpu, peak = 0.0, 0
    with contextlib.suppress(OSError, ValueError):
        cpu = time.clock_gettime((~pid << 3) | 2)
    with contextlib.suppress(OSError):
        ticks = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[13:15]
        cpu += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    with contextlib.suppress(OSError):
        peak = sum(int(words[1]) for words in _lines(f"/proc/{pid}/status") if words[0] == "VmHWM:")
    return {"cpu": cpu, "peak": peak}


def _lines(place: str) -> Iterator[list[str]]:
    return (line.split() for line in Path(place).read_text().splitlines() if line)


def read(fd: int, size: int = 1 << 18) -> bytes | None:
    """b"" at the end, None when there is nothing for now."""
    try:
        return os.read(fd, size)
    except BlockingIOError:
        return None


def has_data(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return any(happened & select.POLLIN for _, happened in poll.poll(0))
