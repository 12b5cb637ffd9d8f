"""Outlives a controller that is killed, to end what Ray started for it.

Ray's own processes end with their driver, but two agents of its node notice only after a minute or more. The guardian is told which
processes were started, by number and start time, and kills those that are left when the controller's end of the pipe closes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE = 2.0
"""Seconds in which processes may end by themselves."""


def guarded() -> subprocess.Popen[str] | None:
    """A guardian of all processes below this one; None where there is no /proc. It ends with this process, or when released."""
    if not Path("/proc/self/stat").exists():
        return None
    guardian = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, text=True, start_new_session=True, env={}
    )
    if guardian.stdin is not None:
        below = descendants(os.getpid()) - {guardian.pid}
        guardian.stdin.write("".join(f"{pid} {began(pid)}\n" for pid in below))
        guardian.stdin.flush()
    return guardian


def release(guardian: subprocess.Popen[str] | None) -> None:
    """Let the guardian do its work and end."""
    if guardian is not None and guardian.stdin is not None:
        guardian.stdin.close()
        guardian.wait()


def descendants(pid: int) -> set[int]:
    """The processes below one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children.setdefault(int(_stat(int(entry.name), 1) or 0), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting.extend(below)
    return found


def began(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty if there is none."""
    return _stat(pid, 19)


def _stat(pid: int, field: int) -> str:
    """A field of /proc/PID/stat, counted from the state; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[field]
    except (OSError, IndexError):
        return ""


def main() -> None:
    """Wait for the end of the input, then kill what it named and is still there."""
    named = [line.split() for line in sys.stdin.read().splitlines()]
    until = time.monotonic() + GRACE
    while time.monotonic() < until and any(began(int(pid)) == start for pid, start in named):
        time.sleep(0.05)
    for pid, start in named:
        if began(int(pid)) == start:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    main()
