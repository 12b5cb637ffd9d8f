"""The parent of the fork: it imports the packages once, then forks for one program after another.

It speaks frames on its standard input and output, hands a program's bytes on unread, in both directions, and never
waits for a program. When its input ends it kills everything and exits. In a container or a namespace it is process 1.
Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandboxes import frames, proc
from sandboxes.child import Confinement, live, system
from sandboxes.reaper import Dead, kill_all, wipe

PRINTED = 1_000_000
"""Bytes that a program may print."""
WAITING = 1 << 22
"""With so many bytes waiting for us, the harness stops reading what the program writes."""
READ = 1 << 18
OURS = 2
"""Processes of ours in a user namespace."""
PRELOAD = ("numpy.random", "numpy.linalg", "numpy.fft", "scipy.optimize")
"""What these import lazily costs each program tens to hundreds of milliseconds, unless it is there before the fork."""
LAZY = ("random", "math", "cmath", "re", "itertools", "functools", "collections", "heapq", "bisect", "fractions",
        "decimal", "statistics", "string", "copy", "operator", "dataclasses", "typing", "enum", "time")  # fmt: skip
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
F_SETPIPE_SZ = 1031


@dataclass
class Running:
    """A program that has not ended yet, with our ends of its pipes."""

    pid: int
    uid: int | None
    requests: int
    replies: int
    output: int
    waiting: bytearray = field(default_factory=bytearray)
    printed: int = 0
    quiet: bool = False
    """It has closed its output."""
    dead: Dead = field(default_factory=Dead)

    def close(self) -> None:
        for pipe in (self.requests, self.replies, self.output):
            os.close(pipe)


class Harness:
    """One program at a time, until the input ends. `settings` is what `box.settings` writes."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.running: Running | None = None
        self.uids = proc.own_users()
        self.baseline = proc.address_space()
        self.out_of_memory = proc.out_of_memory()
        self.alarm, self.wake = os.pipe()

    def serve(self) -> None:
        """Returns when the input ends."""
        for fd in (0, 1, self.alarm, self.wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake, warn_on_full_buffer=False)
        self.ready(wipe(self.folders, None))
        while self.turn():
            pass
        if self.running is not None:
            kill_all(self.running.pid, Dead())
            wipe(self.folders, self.running.uid)
        with contextlib.suppress(OSError):  # a folder of its own, or the place of a mount
            os.rmdir(self.settings["scratch"])

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(self.settings["wipe"])

    def send(self, kind: bytes, content: bytes | Mapping[str, Any]) -> None:
        self.outbox += frames.frame(kind, content if isinstance(content, bytes) else json.dumps(content).encode())

    def ready(self, doubt: str) -> None:
        self.send(frames.READY, {"doubt": doubt, "pid": os.getpid(), "own_user": self.uids is not None})

    def turn(self) -> bool:
        """Waits for something to happen and deals with it; False at the end of the input."""
        for fd, _ in self.waiting_for().poll():
            if fd == 1:
                self.drain()
            elif fd == 0:
                if not self.listen():
                    return False
            elif fd == self.alarm:
                proc.read(self.alarm)
                self.collect()
            elif self.running is not None:
                self.attend(self.running, fd)
        return True

    def waiting_for(self) -> select.poll:
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(self.alarm, select.POLLIN)
        if self.outbox:
            poll.register(1, select.POLLOUT)
        if self.running is not None:
            if self.running.waiting:
                poll.register(self.running.requests, select.POLLOUT)
            if len(self.outbox) < WAITING:
                poll.register(self.running.replies, select.POLLIN)
                if not self.running.quiet:
                    poll.register(self.running.output, select.POLLIN)
        return poll

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self.outbox[: os.write(1, memoryview(self.outbox)[:READ])]

    def listen(self) -> bool:
        data = proc.read(0)
        if not data:
            return data is None
        self.inbox += data
        while (taken := frames.take(self.inbox)) is not None:
            self.obey(*taken)
        return True

    def obey(self, kind: bytes, payload: bytes) -> None:
        if kind == frames.START:
            self.start(json.loads(payload))
        elif self.running is None:
            pass  # it ended while this was on its way
        elif kind == frames.CALL:
            self.running.waiting += payload
            self.feed(self.running)
        elif kind == frames.USAGE:
            self.send(frames.USED, proc.used_so_far(self.running.pid))
        elif kind == frames.END:
            self.finish(self.running)

    def start(self, setup: Mapping[str, Any]) -> None:
        """Forks for a program; its pipes are ours alone."""
        pairs = [os.pipe() for _ in range(3)]
        (request_in, request_out), (reply_in, reply_out), (output_in, output_out) = pairs
        for pipe in (request_out, reply_in):
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, F_SETPIPE_SZ, 1 << 20)
        uid = None if self.uids is None else next(self.uids)
        pid = os.fork()
        if pid == 0:
            try:
                live(setup, (request_in, reply_out, output_out), self.confinement(setup, uid))
            finally:
                os._exit(70)
        for pipe in (request_in, reply_out, output_out):
            os.close(pipe)
        for pipe in (request_out, reply_in, output_in):
            os.set_blocking(pipe, False)
        self.running = Running(pid, uid, request_out, reply_in, output_in)

    def confinement(self, setup: Mapping[str, Any], uid: int | None) -> Confinement:
        memory = None if self.baseline is None else self.baseline + self.settings["memory"]
        return Confinement(
            uid=uid,
            scratch=self.settings["scratch"],
            memory=memory,
            file_bytes=self.settings["file_bytes"],
            processes=self.process_limit(uid),
            cpu_seconds=setup["cpu_seconds"],
            drop_capabilities=self.settings.get("user_namespace", False),
        )

    def process_limit(self, uid: int | None) -> int | None:
        """The kernel counts by user. One that others use has no limit of its own, except in a user namespace."""
        wanted: int = self.settings["processes"]
        if uid is not None:
            return wanted
        counted_apart = self.settings.get("user_namespace") and proc.kernel() >= (5, 14)
        return wanted + OURS if counted_apart else None

    def feed(self, program: Running) -> None:
        try:
            del program.waiting[: os.write(program.requests, memoryview(program.waiting)[: 1 << 20])]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            program.waiting.clear()

    def attend(self, program: Running, pipe: int) -> None:
        """Something has come from the program, or it has closed a pipe. One that prints too much is ended."""
        if pipe == program.requests:
            self.feed(program)
            return
        connected = True
        if pipe == program.output:
            self.forward_output(program)
        else:
            connected = self.forward_reply(program)
        if not connected or program.printed > PRINTED:
            self.finish(program)

    def forward_output(self, program: Running) -> bool:
        """Passes on what it printed; False when there is no more for now."""
        data = proc.read(program.output)
        program.quiet = data == b""
        if not data:
            return False
        program.printed += len(data)
        self.send(frames.OUTPUT, data)
        return True

    def forward_reply(self, program: Running) -> bool:
        """Passes on bytes of a reply, after what was printed before them; False when the program closed the pipe."""
        data = proc.read(program.replies)
        if data:
            self.forward_output(program)
            self.send(frames.DATA, data)
        return data != b""

    def collect(self) -> None:
        program = self.running
        if program is None:
            return
        while program.dead.collect(program.pid):
            pass
        if program.dead.status is not None:
            self.finish(program)

    def finish(self, program: Running) -> None:
        """Ends the program, passes on the rest of its bytes, and makes the box clean for the next."""
        self.running = None
        doubt = kill_all(program.pid, program.dead)
        while program.printed <= PRINTED and self.forward_output(program):
            pass
        while proc.has_data(program.replies) and self.forward_reply(program):
            pass
        program.close()
        doubt = doubt or wipe(self.folders, program.uid)
        before, self.out_of_memory = self.out_of_memory, proc.out_of_memory()
        dead = program.dead
        exited = {"status": dead.status, "cpu": dead.cpu_seconds, "peak": dead.peak_kib}
        exited |= {"flood": program.printed > PRINTED, "out_of_memory": self.out_of_memory > before}
        self.send(frames.EXIT, exited)
        self.ready(doubt)


def main() -> None:
    """`python -c "...main()" SETTINGS`, with the settings as JSON."""
    settings = json.loads(sys.argv[1])
    prepare(settings)
    Harness(settings).serve()
    os._exit(0)


def prepare(settings: Mapping[str, Any]) -> None:
    """Imports what programs need, once, and makes memory ready to be shared with forks."""
    sys.path.extend(settings["path"])
    for name in (*LAZY, *settings["modules"]):
        importlib.import_module(name)
    for name in PRELOAD:
        if name.partition(".")[0] in sys.modules:
            importlib.import_module(name)
    system()(PR_SET_DUMPABLE, 0, 0, 0, 0)
    system()(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    gc.collect()
    gc.freeze()
    gc.disable()
