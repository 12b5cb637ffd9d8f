"""The progress of a run: a live display on a terminal, otherwise a plain line every few seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from agent.console import maps
from agent.console.facts import named
from agent.console.text import clean, number
from agent.events import Event, Finished, Said, Started, Stopped
from archive.types import Entry

WINDOW = 30.0
"""Seconds over which the rate is taken."""


@dataclass
class Progress:
    """A listener that shows a run. Events may come from any thread. A context manager: leaving it ends the display."""

    usd: float | None = None
    every: float = 5.0
    """Seconds between plain lines."""
    console: Console = field(default_factory=lambda: Console(stderr=True, markup=False, highlight=False, emoji=False))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ends: deque[float] = field(default_factory=deque)
    _started: Started | None = None
    _begun: float = 0.0
    _told: float = 0.0
    _live: Live | None = None

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._live = Live(console=self.console, get_renderable=self._picture, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Said):
            self._print(event.text)
        elif isinstance(event, Started):
            self._open(event)
        elif isinstance(event, Finished):
            self._count()
        elif isinstance(event, Stopped):
            self._close()

    def _close(self) -> None:
        """End the display with how things stand, in one line."""
        self.__exit__()
        started, self._started = self._started, None
        if started is not None:
            self._print(self._sentence(started, ended=True))

    def _open(self, event: Started) -> None:
        with self._lock:
            self._begun = self._told = time.monotonic()
            self._started = event
        done = f", {event.done - 1} done before" if event.done > 1 else ""
        self._print(f"{named(event.archive.run)}: {event.steps} steps{done}, into {event.archive.path}")

    def _count(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._ends.append(now)
            while self._ends[0] < now - WINDOW:
                self._ends.popleft()
            due = self._live is None and now - self._told >= self.every
            if due:
                self._told = now
        if due and self._started is not None:
            self._print(self._sentence(self._started))

    def _print(self, text: str) -> None:
        self.console.print(Text(clean(text)), soft_wrap=True)

    def _sentence(self, started: Started, *, ended: bool = False) -> str:
        """The state in one line."""
        best = started.archive.view.best()
        parts = [
            f"step {self._done(started)}/{started.steps}",
            f"best {number(best.value) if best else '-'}",
            f"{started.archive.view.filled()} cells",
            f"{self._rate():.3g} steps/s",
            *self._money(started),
            "" if ended else f"ETA {self._eta(started)}",
            self._counts(started),
        ]
        return "  ".join(part for part in parts if part)

    def _picture(self) -> Group:
        started = self._started
        if started is None:
            return Group(Text("starting…"))
        filled = maps.cells(started.archive.run, self._elites(started))
        values = {cell: entry.value for cell, entry in filled.items()}
        told = [
            f"step {self._done(started)} of {started.steps}   {self._rate():.3g} steps/s   ETA {self._eta(started)}",
            self._best(started),
            f"outcomes {self._counts(started) or '-'}",
            "   ".join([f"cells {len(values)} of {_cells(started)}{self._islands(started)}", *self._money(started)]),
            *maps.small(started.archive.run, values),
        ]
        return Group(*(Text(clean(text), no_wrap=True, overflow="ellipsis") for text in told))

    def _best(self, started: Started) -> str:
        best, problem = started.archive.view.best(), started.problem
        if best is None:
            return "best -"
        told = f"best {number(best.value)} at step {best.step}"
        if not problem.records:
            return told
        values = [record.value for record in problem.records]
        record = max(values) if problem.sense == "maximize" else min(values)
        beside = "beyond it" if problem.better(best.value, record) else f"{abs(best.value - record):.4g} away"
        return f"{told}   record {number(record)}, {beside}"

    def _elites(self, started: Started) -> list[Entry]:
        view = started.archive.view
        return [entry for island in range(started.archive.run.islands) for entry in view.elites(island)]

    def _islands(self, started: Started) -> str:
        count, view = started.archive.run.islands, started.archive.view
        return f" (islands: {', '.join(str(view.filled(i)) for i in range(count))})" if count > 1 else ""

    def _done(self, started: Started) -> int:
        return max(0, started.archive.view.outcomes.total() - 1)

    def _rate(self) -> float:
        with self._lock:
            now, count = time.monotonic(), len(self._ends)
            return count / max(1e-3, min(WINDOW, now - self._begun)) if count else 0.0

    def _eta(self, started: Started) -> str:
        rate, left = self._rate(), started.steps - self._done(started)
        return "-" if not rate else span(left / rate)

    def _counts(self, started: Started) -> str:
        return ", ".join(f"{outcome} {count}" for outcome, count in started.archive.view.outcomes.most_common())

    def _money(self, started: Started) -> list[str]:
        spent = started.archive.spent()
        if not spent and self.usd is None:
            return []
        return [f"${spent:.4f}" + (f" of ${self.usd:.2f}" if self.usd is not None else "")]


def span(seconds: float) -> str:
    """A time in words: `42 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _cells(started: Started) -> int:
    total = 1
    for axis in started.problem.axes:
        total *= axis.bins
    return total
