"""One writer to a file: a lock beside it that the kernel releases when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from archive.types import ArchiveError


@dataclass(frozen=True)
class Lock:
    """A lock that is held until it is released, or the process ends."""

    path: Path
    file: int
    """Its descriptor, closed on exec."""

    def release(self) -> None:
        """Remove the lock file, then let go. Who waits notices that it is gone (see `taken`)."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self.file)


def taken(archive: Path) -> Lock:
    """Take the lock of an archive file.

    Raises:
        ArchiveError: another process holds it (the text names it), or the folder cannot be written.
    """
    path = archive.with_name(archive.name + ".lock")
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise ArchiveError(
                f"{archive} cannot be written: no lock can be made beside it: {error.strerror}"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise ArchiveError(f"{archive} is in use: {holder(path)}") from error
        if _still(path, file):
            os.ftruncate(file, 0)
            told = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            os.pwrite(file, json.dumps(told).encode(), 0)
            return Lock(path, file)
        os.close(file)  # its holder removed it between our open and our lock


def holder(path: Path) -> str:
    """Who holds a lock, as far as its file says."""
    try:
        told = json.loads(path.read_text("utf-8"))
        return (
            f"process {told['pid']} on {told['host']} has been writing it since {told['since']}; wait for it or end it"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another process is writing it; wait for it or end it"


def _still(path: Path, file: int) -> bool:
    """Whether the path still leads to the file that was locked."""
    try:
        found, locked = path.stat(), os.fstat(file)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (locked.st_dev, locked.st_ino)
