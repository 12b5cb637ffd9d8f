"""Our side of one harness: frames out, frames in, deadlines kept here, every end turned into its outcome."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandboxes import frames, wire
from sandboxes.types import BoxLost, Files, Needs, ProgramError, SandboxError

MIB = 1 << 20
CALL_LIMIT = 64 * MIB
"""Bytes of the arguments of one call."""
GRACE = 1.5
"""Seconds for a harness to kill a program; after that its box is killed."""
START_SECONDS = 90.0
"""Seconds for a harness to import the packages."""
TEXT_BYTES = 1 << 16
"""An error's text may take so many bytes, whatever the limit on values."""
PRINTED = 4000


class Link(Protocol):
    """The connection to one harness, and the means to end it."""

    def send(self, data: bytes, deadline: float) -> None:
        """Raises TimeoutError at the deadline, OSError when the connection is gone."""

    def receive(self, deadline: float) -> bytes:
        """Some bytes; b"" when the connection is gone. Raises TimeoutError at the deadline."""

    def end(self) -> None:
        """Kills the box with everything in it and waits until it is gone; may be called again."""

    def lost(self) -> SandboxError:
        """Why the connection went: BoxLost, or SandboxUnavailable if no other box could be started either."""


@dataclass(frozen=True)
class Exit:
    """How a program ended, as its harness saw it."""

    status: int | None = None
    """The wait status."""
    cpu: float = 0.0
    peak: int = 0
    """KiB."""
    flood: bool = False
    out_of_memory: bool = False

    def fault(self, needs: Needs) -> ProgramError:
        """The outcome of a program that ended before it answered."""
        if self.flood:
            return ProgramError("crash", "the program printed more than 1 MB and was killed")
        number = 0 if self.status is None else self.status & 0x7F
        if number == signal.SIGKILL and self.out_of_memory:
            return ProgramError("memory", f"the program was killed: it used more than {needs.memory_mb} MB of memory")
        if number == signal.SIGXCPU or (number == signal.SIGKILL and self.cpu >= cpu_seconds(needs)):
            return ProgramError("timeout", f"the program used more than {cpu_seconds(needs)} s of processor time")
        if number == signal.SIGKILL:
            return ProgramError("crash", "the program killed itself or closed its connection before it returned")
        if number:
            return ProgramError("crash", f"the program died of signal {_name(number)} before it returned")
        return ProgramError("crash", f"the program ended with exit status {(self.status or 0) >> 8} before it returned")


def cpu_seconds(needs: Needs) -> int:
    return max(1, math.ceil(needs.seconds if needs.cpu_seconds is None else needs.cpu_seconds))


def reply_limit(needs: Needs) -> int:
    return int(needs.reply_mb * 1e6)


def _largest(needs: Needs) -> int:
    """Bytes of a reply, be it a value or an error's text."""
    return max(reply_limit(needs), TEXT_BYTES)


def scratch_mb(needs: Needs) -> int:
    return max(8, min(64, needs.memory_mb // 4))


def settings(needs: Needs, modules: tuple[str, ...], path: tuple[str, ...], scratch: tuple[str, ...]) -> dict[str, Any]:
    """What a harness is told when it starts; the first scratch folder is the program's working directory."""
    return {
        "modules": modules,
        "path": path,
        "scratch": scratch[0],
        "wipe": scratch,
        "memory": needs.memory_mb * MIB,
        "file_bytes": scratch_mb(needs) * MIB,
        "processes": needs.processes,
    }


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class Box:
    """One harness, which runs one program at a time. Not for two threads at once."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.used = 0
        """Programs so far."""
        self.doubt = ""
        """Why no other program should come here."""
        self.facts: Mapping[str, Any] = {}
        """What the harness said of itself."""
        self.exit: Exit | None = None
        self._inbox = bytearray()
        self._reply = bytearray()
        self._room = 0
        """Bytes of a reply that are kept: one more than it may have."""
        self._printed = bytearray()
        self._used: tuple[float, float] | None = None
        self._unsent = b""
        self._over = True
        self._gone = False

    def wait_ready(self, seconds: float) -> None:
        """Waits until the next program may come.

        Raises:
            SandboxUnavailable, BoxLost: it will not be ready.
        """
        deadline = time.monotonic() + seconds
        try:
            while self._next(deadline) != frames.READY:
                pass
        except TimeoutError:
            self.end()
            raise BoxLost(f"the box did not get ready within {seconds:.0f} s") from None

    def begin(self, files: Files, needs: Needs) -> None:
        """The program starts with the first exchange."""
        setup = {"cpu_seconds": cpu_seconds(needs), "reply": reply_limit(needs)}
        source = json.dumps(dict(files)).encode()
        self._unsent = frames.frame(frames.START, json.dumps(setup).encode())
        self._unsent += frames.chunks(frames.CALL, frames.LENGTH.pack(len(source)) + source)
        self.used += 1
        self.exit = None
        self._over = False
        self._room = wire.HEAD.size + _largest(needs) + 1
        self._reply.clear()
        self._printed.clear()

    def exchange(self, request: bytes, needs: Needs, deadline: float) -> bytes:
        """Returns the program's next message, whatever it may hold.

        Raises:
            ProgramError: it ended first, was too slow, or wrote too much.
            BoxLost, SandboxUnavailable: the box is gone.
        """
        if self._reply:
            raise ProgramError("invalid", "the program wrote to its connection without being asked")
        try:
            self._send(frames.chunks(frames.CALL, request), deadline)
            while (size := self._message_size(needs)) is None or len(self._reply) < size:
                self._next(deadline)
                if self.exit is not None:
                    raise self.exit.fault(needs)
        except TimeoutError:
            raise ProgramError("timeout", f"the program took more than {needs.seconds:g} s") from None
        if len(self._reply) > size:
            raise ProgramError("invalid", "the program wrote more than one reply to its connection")
        message = bytes(self._reply)
        self._reply.clear()
        return message

    def _message_size(self, needs: Needs) -> int | None:
        if len(self._reply) < wire.HEAD.size:
            return None
        size: int = wire.HEAD.size + wire.HEAD.unpack_from(self._reply)[0]
        if size > _largest(needs):
            limit = f"at most {needs.reply_mb:g} MB may cross"
            raise ProgramError("invalid", f"the program's reply says it takes {size / 1e6:.3g} MB; {limit}")
        return size

    def usage(self) -> tuple[float, float]:
        """Processor seconds and peak MiB of the program that runs, or that ran last."""
        self._used = (0.0, 0.0) if self._unsent else None
        if self.exit is None and self._used is None:
            deadline = time.monotonic() + GRACE
            self._send(frames.frame(frames.USAGE), deadline)
            while self._next(deadline) not in (frames.USED, frames.EXIT):
                pass
        cpu, peak = (self.exit.cpu, self.exit.peak) if self.exit is not None else self._used or (0.0, 0.0)
        return cpu, peak / 1024

    def printed(self) -> str:
        return self._printed.decode(errors="replace")[-PRINTED:]

    def finish(self) -> None:
        """Kills the program and has the box made clean; kills the box when its harness does not answer."""
        if self._over:
            return
        self._over = True
        if self._unsent or self._gone:
            self._unsent, self.exit = b"", self.exit or Exit()
            return
        try:
            deadline = time.monotonic() + GRACE
            if self.exit is None:
                self._send(frames.frame(frames.END), deadline)
            while self.exit is None:
                self._next(deadline)
            self.wait_ready(GRACE)
        except TimeoutError:
            self.end()
        except SandboxError as error:
            self.doubt = self.doubt or str(error)
        self.exit = self.exit or Exit()

    def end(self) -> None:
        self.doubt = self.doubt or "the box was ended"
        self._gone = True
        self.link.end()

    def _send(self, data: bytes, deadline: float) -> None:
        data, self._unsent = self._unsent + data, b""
        try:
            self.link.send(data, deadline)
        except TimeoutError:
            self.end()  # half a frame has been sent, to a program that does not read: no other would be understood
            raise
        except OSError:
            self.doubt = "its connection is gone"
            raise self.link.lost() from None

    def _next(self, deadline: float) -> bytes:
        """The kind of the next frame, after what it says has been kept: no more than a program may send."""
        while (kind := self._taken()) is None:
            data = self.link.receive(deadline)
            if not data:
                self.doubt = "its connection is gone"
                raise self.link.lost()
            self._inbox += data
        return kind

    def _taken(self) -> bytes | None:
        try:
            taken = frames.take(self._inbox)
            if taken is not None:
                self._keep(*taken)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            self.doubt = "its harness does not speak as it should"
            self.end()
            raise BoxLost(f"the box was ended: {self.doubt}: {str(error)[:500]}") from None
        return taken[0] if taken else None

    def _keep(self, kind: bytes, payload: bytes) -> None:
        if kind == frames.DATA:
            self._reply += payload[: self._room - len(self._reply)]
        elif kind == frames.OUTPUT:
            self._printed += payload
            del self._printed[: -4 * PRINTED]
        elif kind == frames.USED:
            used = json.loads(payload)
            self._used = float(used["cpu"]), float(used["peak"])
        elif kind == frames.EXIT:
            self.exit = Exit(**json.loads(payload))
        elif kind == frames.READY:
            self.facts = json.loads(payload)
            self.doubt = self.doubt or self.facts["doubt"]
        else:
            raise ValueError(f"there is no frame {kind!r}")
