"""A filter in the kernel (seccomp) that refuses a program's signals to others, where it is the same user as they are.

Without it, one `kill(-1)` ends all that the user runs. Linux on the machines of `MACHINES`; standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from dataclasses import dataclass
from typing import TypeAlias

PR_SET_SECCOMP, FILTER = 22, 2
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Instructions of classic BPF."""
CALL, ARCHITECTURE, FIRST = 0, 4, 16
"""Offsets in `struct seccomp_data`; of an argument, which is little-endian, the lower half."""
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM

Line: TypeAlias = tuple[str, int, int, str, str]
"""A label, an instruction, its operand, and where to go on if it holds and if not; "" is the next line."""


@dataclass(frozen=True)
class Machine:
    """Numbers of a machine's kernel."""

    architecture: int
    by_process: tuple[int, ...]
    """kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo: the first argument says which process."""
    by_file: int
    """pidfd_send_signal."""
    foreign: int
    """Numbers from here on belong to another convention of the same machine."""


MACHINES = {
    "x86_64": Machine(0xC000003E, (62, 200, 234, 129, 297), 424, 0x40000000),
    "aarch64": Machine(0xC00000B7, (129, 130, 131, 138, 240), 424, 1 << 31),
}
"""The filter has run on x86_64; on aarch64 its numbers are those of the kernel's headers, and it has not run."""


def available() -> bool:
    """Whether the filter can be set here."""
    if not sys.platform.startswith("linux") or os.uname().machine not in MACHINES or sys.maxsize < 1 << 32:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(PR_SET_SECCOMP, FILTER, None, 0, 0) != 0 and ctypes.get_errno() == errno.EFAULT


def refuse_others(several: bool) -> None:
    """From now on this process, and all that it starts, may signal itself and its own group.

    Args:
        several: it may have other processes, and signal any single one; who is its own, the filter cannot know.

    Raises:
        OSError: the kernel does not take the filter, as it does not without PR_SET_NO_NEW_PRIVS.
    """
    code = compiled(os.uname().machine, os.getpid(), several)
    kept = ctypes.create_string_buffer(code, len(code))
    told = struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, FILTER, told, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter of signals could not be set")


def compiled(machine: str, pid: int, several: bool) -> bytes:
    """The filter's program, for the process `pid`."""
    numbers = MACHINES[machine]
    lines: list[Line] = [
        ("", LOAD, ARCHITECTURE, "", ""),
        ("", EQUAL, numbers.architecture, "", "refuse"),
        ("", LOAD, CALL, "", ""),
        ("", AT_LEAST, numbers.foreign, "refuse", ""),
        ("", EQUAL, numbers.by_file, "refuse", ""),
        *(("", EQUAL, number, "which", "") for number in numbers.by_process),
        ("", RETURN, ALLOW, "", ""),
        ("which", LOAD, FIRST, "", ""),
        ("", EQUAL, pid, "allow", ""),
        ("", EQUAL, 0, "allow", ""),
        ("", ANY_BIT, 1 << 31, "refuse", "allow" if several else "refuse"),
        ("allow", RETURN, ALLOW, "", ""),
        ("refuse", RETURN, REFUSE, "", ""),
    ]
    places = {label: at for at, (label, *_) in enumerate(lines)}
    steps = (
        (instruction, *(places[to] - at - 1 if to else 0 for to in (yes, no)), operand)
        for at, (_, instruction, operand, yes, no) in enumerate(lines)
    )
    return b"".join(struct.pack("@HBBI", *step) for step in steps)
