"""The only way to a model: every attempt is a row, reserved before it is made and settled before anything is parsed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from agent.types import Ask, Message, Model, ModelError, ModelRefused, ModelUnavailable, Reply
from archive.types import BudgetSpent, Call, Settled

if TYPE_CHECKING:
    from archive.store import Archive


@dataclass(frozen=True)
class Patience:
    """How long to try where a model does not answer: exponential backoff with jitter."""

    attempts: int = 6
    first: float = 1.0
    """Seconds before the second attempt; each further pause is twice as long, times 0.5 to 1.5."""
    longest: float = 120.0
    """Seconds; where a server asks for a longer pause, the call is given up."""

    def pause(self, attempt: int, rng: Random, asked: float | None) -> float:
        """Seconds to wait after an attempt, counted from 0; never less than what the server asked for."""
        own = min(self.longest, self.first * 2.0**attempt) * (0.5 + rng.random())
        return own if asked is None else asked + own * 0.5


def later(why: str) -> str:
    """A reason to stop, which may bring its own full stop, and what to do then."""
    return f"{why}{'' if why.endswith(('.', '?', '!')) else '.'} Go on later: nothing is lost"


@dataclass
class _Flying:
    """How many calls of this process are reserved and not settled."""

    count: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)


@dataclass(frozen=True)
class Ledger:
    """Asks models on behalf of the steps of a run. May be used from many threads."""

    archive: Archive
    cap: float | None = None
    """What the whole file may cost, in USD."""
    patience: Patience = Patience()
    stop: threading.Event = field(default_factory=threading.Event)
    """Set, it ends every pause."""

    _flying: _Flying = field(default_factory=_Flying, repr=False, compare=False)

    def reserve(self, call: Call) -> None:
        """Set money aside for a call. Where those in flight hold it, wait until they have landed and free what they leave.

        Raises:
            BudgetSpent: none is in flight, and the call might take the file beyond its cap.
        """
        with self._flying.changed:
            while True:
                try:
                    self.archive.reserve(call, self.cap)
                except BudgetSpent:
                    if self._flying.count == 0 or self.stop.is_set():
                        raise
                    self._flying.changed.wait(1.0)
                else:
                    self._flying.count += 1
                    return

    def settle(self, step: int, number: int, settled: Settled) -> None:
        """Commit how a reserved call ended; those that wait for money try again."""
        try:
            self.archive.settle(step, number, settled)
        finally:
            with self._flying.changed:
                self._flying.count -= 1
                self._flying.changed.notify_all()

    def ask(self, step: int) -> Ask:
        """The way to the models for one step.

        The n-th question of a step gets the n-th reply that the archive has for it, whatever it was asked then: going
        on pays nothing twice. Only then is a model called, and the call committed: reserved before, settled after.

        The function raises:
            BudgetSpent: the call might take the file beyond its cap; nothing was committed.
            ModelRefused: the model will not answer, or there is a cap and no price.
            ModelUnavailable: it did not answer however often it was asked.
        """
        return _Asked(self, step, self.archive.calls(step))


@dataclass
class _Asked:
    """What one step has asked so far."""

    ledger: Ledger
    step: int
    rows: Sequence[tuple[Call, Settled | None]]
    number: int = 0
    """The number of the next call."""

    def __call__(self, model: Model, messages: Sequence[Message], purpose: str) -> Reply:
        recorded = self._recorded()
        if recorded is not None:
            return recorded
        return self._insist(model, lambda number: self._attempt(model, messages, purpose, number))

    def _recorded(self) -> Reply | None:
        """The next reply on record; attempts that failed or never ended are passed over."""
        for call, settled in self.rows:
            if call.number < self.number:
                continue
            self.number = call.number + 1
            if settled is not None and settled.reply is not None:
                return Reply(settled.reply, settled.prompt_tokens, settled.completion_tokens, settled.usd)
        return None

    def _insist(self, model: Model, attempt: Callable[[int], Reply]) -> Reply:
        patience, stop = self.ledger.patience, self.ledger.stop
        for tried in range(1, patience.attempts + 1):
            number = self.number
            self.number += 1
            try:
                return attempt(number)
            except ModelUnavailable as error:
                last = error
            if tried == patience.attempts:
                break
            if last.retry_after is not None and last.retry_after > patience.longest:
                why = f"{model.name} asks for a pause of {last.retry_after:.0f} s, and a call waits {patience.longest:g} s at most: {last}"
                raise ModelUnavailable(later(why)) from last
            rng = Random(f"{self.ledger.archive.run.seed}/{self.step}/pause/{number}")
            if stop.wait(patience.pause(tried - 1, rng, last.retry_after)):
                raise ModelUnavailable(f"stopped while waiting to ask {model.name} again: {last}") from last
        raise ModelUnavailable(later(f"{model.name} gave no answer in {patience.attempts} attempts; the last: {last}")) from last

    def _attempt(self, model: Model, messages: Sequence[Message], purpose: str, number: int) -> Reply:
        cap = self.ledger.cap
        reserved = model.reserve(messages)
        if cap is not None and reserved is None:
            raise ModelRefused(
                f"the budget of {cap:g} USD cannot be kept, since nobody knows what a call of {model.name} may cost: "
                "give --price-in, --price-out and --max-tokens (or price_in, price_out and max_tokens in the settings), "
                "or set no budget"
            )
        prompt = json.dumps([dict(message) for message in messages], ensure_ascii=False)
        self.ledger.reserve(Call(self.step, number, purpose, model.name, prompt, reserved))
        begun = time.monotonic()
        try:
            reply = model(messages)
        except ModelError as error:
            usd = error.usd if isinstance(error, ModelUnavailable) else 0.0
            failed = Settled(None, usd=usd, seconds=time.monotonic() - begun, error=str(error))
            self.ledger.settle(self.step, number, failed)
            raise
        seconds = time.monotonic() - begun
        settled = Settled(reply.text, reply.prompt_tokens, reply.completion_tokens, reply.usd, seconds)
        self.ledger.settle(self.step, number, settled)
        return reply
