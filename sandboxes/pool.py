"""Boxes made ahead of need, used many times or once, replaced before they are missed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sandboxes.box import Box
from sandboxes.types import Needs, SandboxError, SandboxUnavailable

EARLY = 4
"""A box's replacement is made when it may still serve so many programs."""


def key_of(needs: Needs) -> Needs:
    """Programs whose needs differ only in what is told with each program may share a box."""
    return replace(needs, seconds=0.0, cpu_seconds=None, reply_mb=0.0, fresh=False)


class Pool:
    """The boxes of one sandbox. `make` starts one for the given needs and returns it ready."""

    def __init__(self, make: Callable[[Needs], Box], programs_per_box: int) -> None:
        self._make = make
        self._programs_per_box = programs_per_box
        self._lock = threading.Lock()
        self._idle: dict[Needs, list[Box]] = {}
        self._coming: dict[Needs, int] = {}
        self._busy: set[Box] = set()
        self._helpers: ThreadPoolExecutor | None = None
        self._closed = False

    def take(self, needs: Needs, single: bool) -> Box:
        """A box that is ready: one that nobody has used if `single`.

        Raises:
            SandboxUnavailable: closed, or no box can be started.
        """
        key = key_of(needs)
        with self._lock:
            self._check_open()
            idle = self._idle.setdefault(key, [])
            found = next((box for box in idle if not (single and box.used)), None)
            if found is not None:
                idle.remove(found)
                self._busy.add(found)
        box = found or self._made(key)
        if single:
            self.spare(needs)
        return box

    def _made(self, key: Needs) -> Box:
        box = self._make(key)
        with self._lock:
            if not self._closed:
                self._busy.add(box)
                return box
        box.end()
        raise SandboxUnavailable("this sandbox is closed; make another")

    def give_back(self, box: Box, needs: Needs, single: bool) -> None:
        """The box takes another program, or is ended and replaced."""
        with self._lock:
            self._busy.discard(box)
            keep = not (single or box.doubt or self._closed or box.used >= self._programs_per_box)
            if keep:
                self._idle.setdefault(key_of(needs), []).append(box)
        if not keep:
            self._in_background(box.end)
        elif box.used == max(1, self._programs_per_box - EARLY):
            self.spare(needs)

    def spare(self, needs: Needs) -> None:
        """Has a box that nobody has used made in the background, unless there is one."""
        key = key_of(needs)
        with self._lock:
            if self._coming.get(key, 0) or any(not box.used for box in self._idle.get(key, [])):
                return
            self._coming[key] = self._coming.get(key, 0) + 1
        self._in_background(lambda: self._add_spare(key))

    def _add_spare(self, key: Needs) -> None:
        box = None
        try:
            with contextlib.suppress(SandboxError):  # whoever takes the next box is told
                box = self._make(key)
        finally:
            with self._lock:
                self._coming[key] -= 1
                if box is not None and not self._closed:
                    self._idle.setdefault(key, []).append(box)
                    box = None
        if box is not None:
            box.end()

    def warm(self, needs: Needs) -> None:
        """Returns when there is a box that is ready."""
        with self._lock:
            self._check_open()
            if self._idle.get(key_of(needs)):
                return
        self.give_back(self._made(key_of(needs)), needs, single=False)

    def close(self) -> None:
        """Ends every box, those in use as well."""
        with self._lock:
            self._closed = True
            boxes = [box for idle in self._idle.values() for box in idle] + list(self._busy)
            self._idle.clear()
            self._busy.clear()
            helpers, self._helpers = self._helpers, None
        with ThreadPoolExecutor(max_workers=max(1, min(8, len(boxes)))) as enders:
            list(enders.map(lambda box: box.end(), boxes))
        if helpers is not None:
            helpers.shutdown(wait=True)

    def _check_open(self) -> None:
        if self._closed:
            raise SandboxUnavailable("this sandbox is closed; make another")

    def _in_background(self, task: Callable[[], None]) -> None:
        with self._lock:
            if not self._closed:
                if self._helpers is None:
                    self._helpers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="boxes")
                self._helpers.submit(task)
                return
        task()
