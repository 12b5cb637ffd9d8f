"""What the harness does when a program has ended: kill everything of it, collect the dead, leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HELPER = 1
"""Real and saved user of the helper that wipes; a program's user cannot signal it."""
PATIENCE = 2.0
"""Seconds in which everything must be dead."""


@dataclass
class Dead:
    """The processes collected so far: the program's wait status, and what all of them used."""

    status: int | None = None
    cpu_seconds: float = 0.0
    peak_kib: int = 0

    def collect(self, main: int, block: bool = False) -> bool:
        """Collects one dead child; False when there is none."""
        try:
            pid, status, used = os.wait4(-1, 0 if block else os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return False
        if pid == main:
            self.status = status
        self.cpu_seconds += used.ru_utime + used.ru_stime
        self.peak_kib = max(self.peak_kib, used.ru_maxrss // (1024 if sys.platform == "darwin" else 1))
        return True


def kill_all(main: int, dead: Dead) -> str:
    """Kills and collects the program with all its descendants. Returns "" or what is in doubt.

    As process 1 one `kill(-1)` reaches everything in one pass of the kernel. Elsewhere the harness is the subreaper of
    its descendants: whoever loses a parent becomes its child, and is killed in the next round.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if os.getpid() == 1:
            _kill(-1)
        else:
            _kill(-main)
            for pid in _descendants():
                _kill(pid)
        while dead.collect(main):
            pass
        if not _has_children():
            return ""
        time.sleep(0.0005)
    return "a process of the last program would not die"


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _descendants() -> list[int]:
    """By the parents in /proc; the direct children are always among them on Linux."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc") if sys.platform.startswith("linux") else ():
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parents[int(name)] = int(Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found - {os.getpid()})
        found |= more


class Scratch:
    """The folders that programs may write to.

    Where a folder is a file system of its own, its free inodes tell whether it is empty: a listing would leave the names
    that a program gave its files in the memory of the next.
    """

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._folders = folders
        self._free: dict[str, int] = {}
        """Inodes that are free in an empty folder."""

    def wipe(self, uid: int | None) -> str:
        """Empties the folders as the program's user, and looks for what cannot be emptied.

        Returns "" or what is in doubt.
        """
        full = [folder for folder in self._folders if self._holds_something(folder)]
        if full:
            _emptied(full, uid)
            if any(map(self._holds_something, full)):
                return "files of the last program could not be removed"
        for folder in self._folders:
            if folder not in self._free and os.path.ismount(folder) and os.statvfs(folder).f_files > 0:
                self._free[folder] = os.statvfs(folder).f_ffree
        return _system_v()

    def _holds_something(self, folder: str) -> bool:
        if folder in self._free:
            return os.statvfs(folder).f_ffree != self._free[folder]
        return bool(os.listdir(folder))


def _emptied(folders: list[str], uid: int | None) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            if uid is not None:
                os.setgroups([])
                os.setresgid(HELPER, uid, HELPER)
                os.setresuid(HELPER, uid, HELPER)
            for folder in folders:
                _empty(folder)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _empty(folder: str) -> None:
    """Brings every folder to the top before it is removed, so that no path grows long and no recursion deep."""
    os.chdir(folder)
    moved = 0
    while names := os.listdir("."):
        for name in names:
            if not stat.S_ISDIR(os.lstat(name).st_mode):
                os.unlink(name)
                continue
            os.chmod(name, 0o700)
            for entry in list(os.scandir(name)):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                os.chmod(entry.path, 0o700)
                moved += 1
                while os.path.lexists(f".moved{moved}"):
                    moved += 1
                os.rename(entry.path, f".moved{moved}")
            os.rmdir(name)


def _system_v() -> str:
    """Message queues, semaphores and segments outlive processes."""
    for kind in ("msg", "sem", "shm"):
        with contextlib.suppress(OSError):
            if len(Path("/proc/sysvipc", kind).read_text().splitlines()) > 1:
                return "the last program left System V objects"
    return ""
