"""Starts a harness on the host, in namespaces of its own with a root of its own where the kernel lets us.

Inside there are the interpreter, the packages of the problem, /proc, a scratch folder and a few devices; all but the
scratch folder is read-only. There are no home folders, no keys, no network, no process of anybody else. The harness is
process 1 there.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandboxes import harness

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (1 << bit for bit in (17, 26, 27, 28, 29, 30))
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT = 1, 2, 4, 8, 32
NOATIME, NODIRATIME, BIND, RECURSIVE, PRIVATE, RELATIME = 1 << 10, 1 << 11, 1 << 12, 1 << 14, 1 << 18, 1 << 21
KEPT = {RDONLY: RDONLY, NOSUID: NOSUID, NODEV: NODEV, NOEXEC: NOEXEC, 1024: NOATIME, 2048: NODIRATIME, 4096: RELATIME}
"""Flags of statvfs, and the mount flags that a namespace of a plain user has to keep."""
DETACH = 2
PR_SET_PDEATHSIG = 1
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/alternatives")
DEVICES = ("null", "zero", "full", "random", "urandom")
ROOT = "/sys"
"""A folder that every Linux has and no program needs: the new root is mounted over it, in our namespace only."""


def main() -> None:
    """`python -c "...main()" SETTINGS`"""
    settings = json.loads(sys.argv[1])
    if settings["namespaces"]:
        user = os.geteuid()
        enter(settings)
        sys.argv[1] = json.dumps(settings | {"user_namespace": user != 0})
    harness.main()


def enter(settings: Mapping[str, Any]) -> None:
    """Returns in process 1 of new namespaces. The process that was called waits for it, and exits as it did.

    Raises:
        OSError: the kernel does not permit it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    others = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    _check(libc.unshare(others if user == 0 else others | NEWUSER), "unshare")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    first = os.fork()
    if first != 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0x7F)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    new_root(libc, settings)
    with contextlib.suppress(OSError):
        Path("/proc/sys/kernel/shm_rmid_forced").write_text("1")


def new_root(libc: ctypes.CDLL, settings: Mapping[str, Any]) -> None:
    """Mounts what programs may see below `ROOT`, and makes it the root of everything."""
    mount(libc, "none", "/", None, RECURSIVE | PRIVATE)
    mount(libc, "tmpfs", ROOT, "tmpfs", NOSUID, "mode=755,size=4m")
    sources = {source: source for source in (*SYSTEM, *settings["prefixes"])}
    sources |= {source: f"/opt/elites/site/{Path(source).name}" for source in settings["roots"]}
    sources |= {f"/dev/{name}": f"/dev/{name}" for name in DEVICES}
    for source, target in sources.items():
        show(libc, source, ROOT + target)
    size = f"mode=1777,size={settings['scratch_mb']}m,nr_inodes=4096"
    for target, kind, flags, options in (
        ("/box", "tmpfs", NOSUID | NODEV | NOEXEC, size),
        ("/dev/shm", "tmpfs", NOSUID | NODEV | NOEXEC, "mode=1777,size=1m"),  # noqa: S108
        ("/proc", "proc", NOSUID | NODEV | NOEXEC, ""),
    ):
        Path(ROOT + target).mkdir(parents=True, exist_ok=True)
        mount(libc, kind, ROOT + target, kind, flags, options)
    Path(ROOT, "old").mkdir()
    os.chdir(ROOT)
    _check(libc.pivot_root(b".", b"old"), "pivot_root")
    os.chdir("/")
    _check(libc.umount2(b"/old", DETACH), "umount2")
    os.rmdir("/old")
    mount(libc, "none", "/", None, REMOUNT | RDONLY | NOSUID)


def show(libc: ctypes.CDLL, source: str, target: str) -> None:
    """Makes a file or folder of the host visible, read-only; one that is a link stays a link."""
    if not os.path.lexists(source) or os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    if os.path.islink(source) and os.path.dirname(source) == "/":
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        Path(target).touch()
    mount(libc, source, target, None, BIND | RECURSIVE)
    device = 0 if source.startswith("/dev/") else NODEV
    state = os.statvfs(target).f_flag
    kept = sum(flag for seen, flag in KEPT.items() if state & seen)
    mount(libc, "none", target, None, BIND | REMOUNT | RDONLY | NOSUID | device | kept)


def mount(libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    type_ = None if kind is None else kind.encode()
    done = libc.mount(source.encode(), target.encode(), type_, ctypes.c_ulong(flags), options.encode() or None)
    _check(done, f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
