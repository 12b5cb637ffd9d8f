"""Money: reserved before a call, settled after it. The sum is kept in memory, and made again from the rows at start."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection, and_, select

from archive import blobs
from archive.reading import content
from archive.tables import calls, settlements
from archive.types import ArchiveError, BudgetSpent, Call, Settled

EDGE = 1e-9
"""USD by which a cap may be passed: what adding in binary may be off."""

Key = tuple[int, int]
_TOGETHER = and_(settlements.c.step == calls.c.step, settlements.c.number == calls.c.number)


class Ledger:
    """What a file has cost: for a settled call its price, otherwise (or where no price is known) what was reserved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled = 0.0
        self._reserved: dict[Key, float] = {}

    def load(self, connection: Connection) -> None:
        """Sum up the rows of a file."""
        query = select(calls.c.step, calls.c.number, calls.c.reserved, settlements.c.id, settlements.c.usd)
        with self._lock:
            for step, number, reserved, ended, cost in connection.execute(query.outerjoin(settlements, _TOGETHER)):
                if ended is None:
                    self._reserved[step, number] = reserved or 0.0
                else:
                    self._settled += cost if cost is not None else reserved or 0.0

    def spent(self) -> float:
        """USD."""
        with self._lock:
            return self._settled + sum(self._reserved.values())

    def reserve(self, call: Call, cap: float | None, commit: Callable[[], None]) -> None:
        """Set the money aside, then commit. Raises BudgetSpent, ArchiveError; nothing is set aside then."""
        asked, key = priced(call.reserved) or 0.0, (call.step, call.number)
        with self._lock:
            spent = self._settled + sum(self._reserved.values())
            if cap is not None and not spent + asked <= cap + EDGE:
                raise BudgetSpent(f"one call may cost {usd(asked)}, and {usd(max(0.0, cap - spent))} of {usd(cap)} is left")
            if key in self._reserved:
                raise ArchiveError(f"call {call.number} of step {call.step} is reserved already")
            self._reserved[key] = asked
        committed = False
        try:
            commit()
            committed = True
        finally:
            if not committed:
                with self._lock:
                    del self._reserved[key]

    def settle(self, key: Key, settled: Settled, commit: Callable[[Settled], None]) -> None:
        """Commit, then count the price and not what was set aside. Raises ArchiveError where no such call is open."""
        with self._lock:
            if key not in self._reserved:
                raise ArchiveError(f"call {key[1]} of step {key[0]} was never reserved, or is settled already")
        known = settled.usd is not None and math.isfinite(settled.usd) and settled.usd >= 0
        settled = settled if known else replace(settled, usd=None)
        commit(settled)
        with self._lock:
            reserved = self._reserved.pop(key)
            self._settled += settled.usd if settled.usd is not None else reserved


def usd(amount: float) -> str:
    """An amount of money; a small one with the first two digits that tell: `$1.2500`, `$0.000034`."""
    return f"${amount:.{max(4, 1 - math.floor(math.log10(amount)))}f}" if amount > 0 else "$0"


def priced(amount: float | None) -> float | None:
    """Raises ArchiveError for a price that none can be."""
    if amount is not None and not 0 <= amount < math.inf:
        raise ArchiveError(f"a call may cost a finite number of USD from 0 up, not {amount!r}")
    return amount


def paid(connection: Connection, step: int) -> list[tuple[Call, Settled | None]]:
    """The calls of a step in order, each with how it ended, if it has."""
    joined = select(calls, settlements).outerjoin(settlements, _TOGETHER)
    found: list[tuple[Call, Settled | None]] = []
    for row in connection.execute(joined.where(calls.c.step == step).order_by(calls.c.number)):
        c, s = row._mapping, settlements.c
        prompt = content(connection, c[calls.c.prompt])
        call = Call(
            step,
            c[calls.c.number],
            c[calls.c.purpose],
            c[calls.c.model],
            blobs.to_text(prompt or b""),
            c[calls.c.reserved],
        )
        if c[s.id] is None:
            found.append((call, None))
            continue
        reply = content(connection, c[s.reply]) if c[s.reply] is not None else None
        words = None if reply is None else blobs.to_text(reply)
        ended = Settled(words, c[s.prompt_tokens], c[s.completion_tokens], c[s.usd], c[s.seconds], c[s.error])
        found.append((call, ended))
    return found
