"""The forked side of the harness: give up every right, read a program and load it, answer calls.

From its first line on, the program owns this process: nothing here is trusted by anybody afterwards.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import json
import linecache
import os
import random
import resource
import signal
import sys
import traceback
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sandboxes import frames, signals, wire

REQUESTS, REPLIES = 3, 4
MAIN = "program.py"
THREADS = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"}
"""All that stays in the environment: libraries that load later would start threads, which it may not have."""
TEXT = 4000
"""Characters of an error's text."""
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
_OURS = (__file__, wire.__file__)


@dataclass(frozen=True)
class Confinement:
    """What a child gives up before the program's first line."""

    uid: int | None
    """A user of its own; None where that is not permitted."""
    scratch: str
    memory: int | None
    """Bytes of address space."""
    file_bytes: int
    processes: int | None
    cpu_seconds: int
    drop_capabilities: bool = False
    """The harness is root of a user namespace and the child stays the same user."""
    signals: int = 0
    """Not 0: its user is that of others, whom it may not signal. So many processes it may have itself."""


def live(setup: Mapping[str, Any], pipes: tuple[int, int, int], confinement: Confinement) -> NoReturn:
    """Becomes the program: `pipes` are the ends for requests, replies and printed output."""
    confine(pipes, confinement)
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    gc.enable()
    head = _read(frames.LENGTH.size)
    files = _read(frames.LENGTH.unpack(head)[0]) if head else None
    if files is not None:
        answer_calls(json.loads(files), confinement.scratch, setup["reply"])
    os._exit(0)


def confine(pipes: tuple[int, int, int], confinement: Confinement) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    _keep_only(pipes)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    _limit(confinement)
    prctl = system()
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if confinement.uid is not None:
        os.setgroups([])
        os.setresgid(confinement.uid, confinement.uid, confinement.uid)
        os.setresuid(confinement.uid, confinement.uid, confinement.uid)
    elif confinement.drop_capabilities:
        _drop_capabilities()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if confinement.signals:
        signals.refuse_others(several=confinement.signals > 1)
    os.umask(0o077)
    os.chdir(confinement.scratch)
    for name in os.environ.keys() - THREADS:
        del os.environ[name]
    sys.argv = [MAIN]
    sys.path.insert(0, confinement.scratch)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]


def _keep_only(pipes: tuple[int, int, int]) -> None:
    """File descriptors 0 to 4, and no other."""
    null = os.open(os.devnull, os.O_RDWR)
    request, reply, output = pipes
    high = [os.dup(fd) for fd in (null, output, output, request, reply)]
    while min(high) <= REPLIES:
        high = [os.dup(fd) for fd in high]
    for target, fd in enumerate(high):
        os.dup2(fd, target)
    try:
        still_open = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        still_open = list(range(256))
    for fd in still_open:
        if fd > REPLIES:
            with contextlib.suppress(OSError):
                os.close(fd)


def _limit(confinement: Confinement) -> None:
    limits = {
        "CORE": 0,
        "MSGQUEUE": 0,
        "NOFILE": 256,
        "FSIZE": confinement.file_bytes,
        "CPU": confinement.cpu_seconds,
        "AS": confinement.memory,
        "NPROC": confinement.processes,
    }
    for name, value in limits.items():
        which = getattr(resource, f"RLIMIT_{name}", None)
        if which is None or value is None:
            continue
        hard = value + 1 if name == "CPU" else value
        ceiling = resource.getrlimit(which)[1]
        if ceiling != resource.RLIM_INFINITY:
            hard, value = min(hard, ceiling), min(value, ceiling)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(which, (value, hard))


@functools.cache
def system() -> Callable[..., int]:
    """`prctl`, looked up once before any fork: a millisecond saved for each program."""
    if not sys.platform.startswith("linux"):
        return lambda *arguments: 0
    function: Callable[..., int] = ctypes.CDLL(None).prctl
    return function


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None).capset(header, nothing) != 0:
        raise OSError("capabilities could not be dropped")


def answer_calls(files: Mapping[str, str], scratch: str, limit: int) -> None:
    """Answers one request after another, until the requests end."""
    functions: dict[str, Any] = {}

    def answer(request: Any) -> Any:
        if not functions:
            functions.update(load(files, scratch))
        name, arguments, keywords = request
        return look_up(functions, name)(*arguments, **keywords)

    while (request := _read_message()) is not None:
        reply = attempt(answer, request, limit)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
        _write(reply)


def attempt(answer: Callable[[Any], Any], request: bytes, limit: int) -> bytes:
    """The reply to a request, whatever the program does."""
    try:
        return wire.encode({"ok": answer(wire.decode(request))}, limit)
    except BaseException as error:  # noqa: BLE001  the program may raise anything
        return wire.encode(failure(error), wire.LARGEST)


def load(files: Mapping[str, str], scratch: str) -> dict[str, Any]:
    """Runs `program.py` from memory; its other files are put into the scratch folder, where it can import them."""
    for name, text in files.items():
        if name != MAIN:
            path = Path(scratch, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    source = files[MAIN]
    linecache.cache[MAIN] = (len(source), None, source.splitlines(keepends=True), MAIN)
    module = types.ModuleType("program")
    module.__file__ = str(Path(scratch, MAIN))
    sys.modules["program"] = module
    exec(compile(source, MAIN, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module.__dict__


def look_up(functions: Mapping[str, Any], name: str) -> Any:
    found = functions.get(name)
    if callable(found):
        return found
    own = [key for key, value in functions.items() if isinstance(value, types.FunctionType) and key[:1] != "_"]
    defined = ", ".join(own[:20]) or "no function"
    raise LookupError(f"{MAIN} must define a function `{name}`; it defines {defined}")


def failure(error: BaseException) -> dict[str, Any]:
    """What to tell the program's author: the frames of the program, and no other."""
    if isinstance(error, wire.WireError):
        return {
            "error": "invalid",
            "text": _bounded(str(wire.WireError(error.problem, error.place.removeprefix(".ok")))),
        }
    if isinstance(error, MemoryError):
        said = f": {error}" if str(error) else ""
        return {"error": "memory", "text": _bounded(f"the program asked for more memory than it may use{said}")}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in _OURS:
        trace = trace.tb_next
    if trace is None:
        text = "".join(traceback.format_exception_only(error))
    else:
        text = "".join(traceback.TracebackException(type(error), error, trace, limit=-16, compact=True).format())
    return {"error": "crash", "text": _bounded(text)}


def _bounded(text: str) -> str:
    if len(text) > TEXT:
        text = f"{text[: TEXT // 4]}\n[...]\n{text[-(TEXT * 3 // 4 - 8) :]}"
    return text.encode(errors="replace").decode()


def _read_message() -> bytes | None:
    head = _read(wire.HEAD.size)
    if head is None:
        return None
    body = _read(wire.HEAD.unpack(head)[0])
    return None if body is None else head + body


def _read(size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = os.read(REQUESTS, min(size - len(data), 1 << 20))
        if not part:
            return None
        data += part
    return bytes(data)


def _write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(REPLIES, rest) :]
