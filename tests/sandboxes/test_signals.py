"""The filter of signals: what its code decides on each machine, and what the kernel makes of it here.

Everything that is tried here is tried with signal 0, which asks for permission and harms nobody.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxes import signals
from sandboxes.signals import ALLOW, MACHINES, REFUSE, compiled

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534
PID = 4321
here = pytest.mark.skipif(not signals.available(), reason=f"no filter for {os.uname().machine} or none in this kernel")


def decided(code: bytes, architecture: int, call: int, first: int) -> int:
    """What the kernel would do: the few instructions of classic BPF that we use."""
    data = struct.pack("<IIQQ", call, architecture, 0, first & 0xFFFFFFFFFFFFFFFF)
    at = loaded = 0
    while True:
        instruction, yes, no, operand = struct.unpack_from("@HBBI", code, 8 * at)
        at += 1
        if instruction == 0x06:
            return int(operand)
        if instruction == 0x20:
            loaded = struct.unpack_from("<I", data, operand)[0]
        else:
            holds = {0x15: loaded == operand, 0x35: loaded >= operand, 0x45: bool(loaded & operand)}
            at += yes if holds[instruction] else no


@pytest.mark.parametrize("machine", MACHINES)
def test_what_the_filter_decides(machine: str) -> None:
    numbers = MACHINES[machine]
    alone, several = (compiled(machine, PID, several) for several in (False, True))
    for call in numbers.by_process:
        for first, singly, among in ((PID, ALLOW, ALLOW), (0, ALLOW, ALLOW), (PID + 1, REFUSE, ALLOW), (1, REFUSE, ALLOW)):
            assert decided(alone, numbers.architecture, call, first) == singly
            assert decided(several, numbers.architecture, call, first) == among
        for group in (-1, -PID, -(2**31)):
            assert decided(alone, numbers.architecture, call, group) == REFUSE
            assert decided(several, numbers.architecture, call, group) == REFUSE
        assert decided(alone, numbers.architecture, call, (7 << 32) | PID) == ALLOW  # the kernel reads the lower half
        assert decided(alone, 0x40000003, call, PID) == REFUSE
    assert decided(alone, numbers.architecture, numbers.by_file, 9) == REFUSE
    assert decided(alone, numbers.architecture, numbers.foreign + 62, PID) == REFUSE
    others = set(range(500)) - {*numbers.by_process, numbers.by_file}
    assert {decided(alone, numbers.architecture, call, 1) for call in others} == {ALLOW}


HEADERS = {
    "x86_64": ("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h"),
    "aarch64": ("asm-generic/unistd.h", "aarch64-linux-gnu/asm/unistd_64.h"),
}
NAMES = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernel_s_headers(machine: str) -> None:
    found = [path for name in HEADERS[machine] if (path := Path("/usr/include", name)).is_file()]
    if not found:
        pytest.skip("no headers of the kernel here: apt-get install linux-libc-dev")
    words = [line.split() for line in found[0].read_text().splitlines() if line.startswith("#define __NR")]
    numbers = {line[1].removeprefix("__NR_"): int(line[2]) for line in words if len(line) > 2 and line[2].isdigit()}
    assert tuple(numbers[name] for name in NAMES) == (*MACHINES[machine].by_process, MACHINES[machine].by_file)


TGKILL = MACHINES[os.uname().machine].by_process[2] if os.uname().machine in MACHINES else 0
TRIES = """
import ctypes, os, signal
def tried(work, *arguments):
    try: work(*arguments)
    except OSError as error: return type(error).__name__
    return "done"
def f():
    child = os.fork()
    if child == 0:
        signal.pause()
    above, libc = os.getppid(), ctypes.CDLL(None, use_errno=True)
    def raw(number, *arguments):
        if libc.syscall(number, *arguments): raise OSError(ctypes.get_errno(), "")
    tries = {
        "itself": (os.kill, os.getpid(), 0), "its group": (os.kill, 0, 0), "in its thread": (signal.raise_signal, 0),
        "everybody": (os.kill, -1, 0), "a group": (os.killpg, os.getpgid(above), 0), "above": (os.kill, above, 0),
        "its child": (os.kill, child, 0), "a thread": (raw, TGKILL, above, above, 0),
        "a file": (lambda: signal.pidfd_send_signal(os.pidfd_open(above), 0),),
    }
    found = {name: tried(*call) for name, call in tries.items()}
    return found, child
""".replace("TGKILL", str(TGKILL))
"""With a child that waits: the processes above are the user's, whom the program would reach without the filter."""

DIRECT = f"""
import ctypes, json, os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from sandboxes import signals
if os.getuid() == 0:
    os.setgroups([]); os.setresgid(*[{NOBODY}] * 3); os.setresuid(*[{NOBODY}] * 3)
filtered = eval(sys.argv[1])
out, into = os.pipe()
pid = os.fork()
if pid == 0:
    os.setsid()
    ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
    if filtered: signals.refuse_others(filtered == 2)
    exec({TRIES!r})
    os.write(into, json.dumps(f()).encode())
    os._exit(0)
os.close(into)
found, child = json.loads(os.read(out, 10000))
os.kill(child, 9)
print(json.dumps([os.getuid(), found]))
"""
ITSELF = {"itself": "done", "its group": "done", "in its thread": "done"}
OTHERS = {"everybody", "a group", "above", "its child", "a thread", "a file"}


def asked(code: str, *arguments: str) -> object:
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd="/")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@here
@pytest.mark.parametrize(("filtered", "free"), [(0, OTHERS), (1, set()), (2, {"above", "its child", "a thread"})])
def test_a_user_s_program_cannot_signal_others(filtered: int, free: set[str]) -> None:
    """`free`: what it can reach without the filter, with it, and with it where it may have several processes."""
    expected = ITSELF | {name: "done" if name in free else "PermissionError" for name in OTHERS}
    assert asked(DIRECT, str(filtered)) == [os.getuid() or NOBODY, expected]


BOXED = f"""
import ctypes, json, sys
sys.path.insert(0, {str(ROOT)!r})
from sandboxes.process import ProcessSandbox
from sandboxes.types import Needs
ctypes.CDLL(None).prctl(24, 7, 0, 0, 0)  # whoever is root here could give programs a user of their own
box = ProcessSandbox(namespaces=False)
with box.start({{"program.py": {TRIES!r}}}, Needs(processes=eval(sys.argv[1])), {{}}) as program:
    found, child = program.call("f")
print(json.dumps([box.image(Needs()).rpartition("(")[2], found]))
box.close()
"""


@here
@pytest.mark.parametrize(("processes", "free"), [(1, set()), (3, {"above", "its child", "a thread"})])
def test_without_namespaces_and_users_programs_are_filtered(processes: int, free: set[str]) -> None:
    expected = ITSELF | {name: "done" if name in free else "PermissionError" for name in OTHERS}
    assert asked(BOXED, str(processes)) == ["process group, no namespaces, no signals to others)", expected]
