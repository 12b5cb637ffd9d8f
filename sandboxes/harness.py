"""The parent of the fork: it imports the packages once, then forks for one program after another.

It speaks frames on its standard input and output and passes a program's bytes on, in both directions, without having
them: whatever is in its memory is in the memory of every later program. It never waits for a program. When its input
ends it kills everything and exits. In a container or a namespace it is process 1. Standard library only.
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

from sandboxes import frames, proc, relay, signals
from sandboxes.child import Confinement, live, system
from sandboxes.reaper import Dead, Scratch, kill_all

PRINTED = 1_000_000
"""Bytes that a program may print."""
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
    full: bool = False
    """It takes no more of its requests for now."""
    deaf: bool = False
    """It has closed its requests."""
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
        self.scratch = Scratch(tuple(settings["wipe"]))
        self.inbox = bytearray()
        """A frame of ours that has not come whole."""
        self.passing = 0
        """Bytes still to come of a frame for the program."""
        self.outgoing = relay.Outgoing(1)
        self.running: Running | None = None
        self.ended: Running | None = None
        """Its last bytes are still on their way."""
        self.uids = proc.own_users()
        self.filtered = self.uids is None and os.getpid() != 1 and signals.available()
        self.baseline = proc.address_space()
        self.out_of_memory = proc.out_of_memory()
        self.alarm, self.wake = os.pipe()

    def serve(self) -> None:
        """Returns when the input ends."""
        for fd in (0, 1, self.alarm, self.wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake, warn_on_full_buffer=False)
        self.ready(self.scratch.wipe(None))
        while self.turn():
            pass
        if self.running is not None:
            kill_all(self.running.pid, Dead())
            self.scratch.wipe(self.running.uid)
        with contextlib.suppress(OSError):  # a folder of its own, or the place of a mount
            os.rmdir(self.settings["scratch"])

    def send(self, kind: bytes, content: Mapping[str, Any]) -> None:
        self.outgoing.add(frames.frame(kind, json.dumps(content).encode()))

    def ready(self, doubt: str) -> None:
        own = {"pid": os.getpid(), "own_user": self.uids is not None, "own_signals": self.filtered}
        self.send(frames.READY, own | {"doubt": doubt})

    def turn(self) -> bool:
        """Waits for something to happen and deals with it; False at the end of the input."""
        self.flush()
        for fd, event in self.waiting_for().poll():
            program = self.running
            if fd == 0:
                if not self.listen(event):
                    return False
            elif fd == self.alarm:
                proc.read(self.alarm)
                self.collect()
            elif program is not None and fd == program.requests:
                program.full = False
            elif program is not None and fd in (program.replies, program.output):
                self.attend(program, fd, event)
        return True

    def waiting_for(self) -> select.poll:
        poll, program = select.poll(), self.running
        poll.register(self.alarm, select.POLLIN)
        full = program is not None and program.full
        poll.register(0, 0 if full else select.POLLIN)
        if self.outgoing:
            poll.register(1, select.POLLOUT)
        if program is not None:
            if full:
                poll.register(program.requests, select.POLLOUT)
            if not self.outgoing:
                poll.register(program.replies, select.POLLIN)
                if not program.quiet:
                    poll.register(program.output, select.POLLIN)
        return poll

    def flush(self) -> None:
        self.outgoing.flush()
        if self.ended is not None and not self.outgoing:
            self.ended.close()
            self.ended = None

    def listen(self, event: int) -> bool:
        """Deals with all that has come; False at the end of the input."""
        if self.running is not None and self.running.full:
            return not event & select.POLLHUP
        while True:
            try:
                came = self.pass_on() if self.passing else self.take()
            except BlockingIOError:
                return True
            if not came:
                return False
            if (taken := frames.take(self.inbox)) is not None:
                self.obey(*taken)

    def take(self) -> bool:
        """Reads what is for us and no more. Raises BlockingIOError."""
        data = os.read(0, frames.missing(self.inbox))
        self.inbox += data
        if self.inbox[:1] == frames.CALL and len(self.inbox) == frames.HEAD.size:
            self.passing = frames.missing(self.inbox)
            self.inbox.clear()
        return bool(data)

    def pass_on(self) -> bool:
        """Moves what is for the program. Raises BlockingIOError."""
        program = self.running
        if program is None or program.deaf:  # it ended while this was on its way, or will not have it
            size = relay.dropped(0, self.passing)
        else:
            try:
                size = relay.moved(0, program.requests, self.passing)
            except BlockingIOError:
                program.full = relay.available(0) > 0
                raise
            except BrokenPipeError:
                program.deaf = True
                return True
        self.passing -= size
        return size > 0

    def obey(self, kind: bytes, payload: bytes) -> None:
        if kind == frames.START:
            self.start(json.loads(payload))
        elif self.running is None:
            pass  # it ended while this was on its way
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
            signals=self.settings["processes"] if self.filtered else 0,
        )

    def process_limit(self, uid: int | None) -> int | None:
        """The kernel counts by user. One that others use has no limit of its own, except in a user namespace."""
        wanted: int = self.settings["processes"]
        if uid is not None:
            return wanted
        counted_apart = self.settings.get("user_namespace") and proc.kernel() >= (5, 14)
        return wanted + OURS if counted_apart else None

    def attend(self, program: Running, pipe: int, event: int) -> None:
        """Something has come from the program, or it has closed a pipe. One that prints too much is ended."""
        came = self.forward(program, pipe)
        closed = not came and bool(event & select.POLLHUP)
        if pipe == program.output:
            program.quiet = closed
        if program.printed > PRINTED or (closed and pipe == program.replies):
            self.finish(program)

    def forward(self, program: Running, pipe: int) -> int:
        """Has what a pipe holds passed on, bytes of a reply after what was printed before them; how many there are."""
        if pipe == program.replies:
            self.forward(program, program.output)
        flood = pipe == program.output and program.printed > PRINTED
        left = size = 0 if flood else max(0, relay.available(pipe) - self.outgoing.owed(pipe))
        while left > 0:
            part = min(left, frames.CHUNK)
            self.outgoing.add(frames.head(frames.DATA if pipe == program.replies else frames.OUTPUT, part))
            self.outgoing.move(pipe, part)
            left -= part
        if pipe == program.output:
            program.printed += size
        return size

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
        self.running, self.ended = None, program
        doubt = kill_all(program.pid, program.dead)
        self.forward(program, program.replies)
        doubt = doubt or self.scratch.wipe(program.uid)
        before, self.out_of_memory = self.out_of_memory, proc.out_of_memory()
        exited = {"status": program.dead.status, "cpu": program.dead.cpu_seconds, "peak": program.dead.peak_kib}
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
