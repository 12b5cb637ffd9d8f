"""Every attempt is a row: reserved, settled, answered from the record, tried again, stopped at the cap."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from agent.ledger import Ledger, Patience
from agent.models.answers import Price
from agent.models.faults import Faults
from agent.models.openai_compatible import OpenAICompatible
from agent.models.scripted import Scripted
from agent.models.server import Server
from agent.types import ModelRefused, ModelUnavailable
from archive.store import Archive
from archive.types import BudgetSpent, Call
from tests.models.cases import ASK, nothing_left, run_file

QUICK = Patience(attempts=4, first=0.001, longest=1.0)
LATE = ModelUnavailable("late")
FREE_OF_CHARGE = ModelUnavailable("refused to connect", usd=0.0)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with closing(run_file(tmp_path / "run.db", 40)) as opened:
        yield opened


def test_a_call_is_a_row(archive: Archive) -> None:
    ask = Ledger(archive, 1.0).ask(1)
    assert ask(Scripted(["one", "two"], name="m", usd=0.25), ASK, "patch").text == "one"
    (call, settled), *rest = archive.calls(1)
    assert rest == []
    assert (call.number, call.purpose, call.model, json.loads(call.prompt), call.reserved) == (
        0,
        "patch",
        "m",
        ASK,
        0.25,
    )
    assert settled is not None
    assert (settled.reply, settled.prompt_tokens, settled.completion_tokens, settled.usd) == ("one", 4, 1, 0.25)
    assert archive.spent() == 0.25


def test_it_answers_from_the_record_first(archive: Archive) -> None:
    first = Ledger(archive, None, QUICK).ask(1)
    model = Scripted(["one", LATE, "two"], usd=0.5)
    assert [first(model, ASK, "patch").text, first(model, ASK, "patch again").text] == ["one", "two"]
    again = Ledger(archive, None, QUICK).ask(1)
    replies = [again(Scripted(["three"], usd=0.1), ASK, "patch") for _ in range(3)]
    assert [reply.text for reply in replies] == ["one", "two", "three"]
    assert replies[0].usd == 0.5
    assert [call.number for call, _ in archive.calls(1)] == [0, 1, 2, 3]


def test_a_call_that_never_ended_is_made_again(archive: Archive) -> None:
    archive.reserve(Call(1, 0, "patch", "m", "[]", 0.5), None)
    assert Ledger(archive).ask(1)(Scripted(["one"], usd=0.25), ASK, "patch").text == "one"
    assert [settled is None for _, settled in archive.calls(1)] == [True, False]
    assert archive.spent() == 0.75


def test_attempts_that_fail_are_rows_too(archive: Archive) -> None:
    model = Scripted([LATE, FREE_OF_CHARGE, "one"], usd=0.5)
    assert Ledger(archive, None, QUICK).ask(1)(model, ASK, "patch").text == "one"
    settled = [settled for _, settled in archive.calls(1) if settled]
    assert [(s.reply, s.usd, s.error) for s in settled] == [
        (None, None, "late"),
        (None, 0.0, "refused to connect"),
        ("one", 0.5, ""),
    ]
    assert archive.spent() == 1.0  # what was reserved for the first, nothing for the second


def test_it_gives_up_with_one_clear_sentence(archive: Archive) -> None:
    model = Scripted(lambda messages: (_ for _ in ()).throw(LATE), name="m", usd=0.0)
    with pytest.raises(ModelUnavailable, match="m gave no answer in 4 attempts; the last: late"):
        Ledger(archive, None, QUICK).ask(1)(model, ASK, "patch")
    assert model.calls == len(archive.calls(1)) == 4


@pytest.mark.parametrize(("said", "told"), [("late", "late. Go on"), ("is it there?", "is it there? Go on"), ("No.", "No. Go on")])
def test_a_sentence_has_one_full_stop(archive: Archive, said: str, told: str) -> None:
    model = Scripted(lambda messages: (_ for _ in ()).throw(ModelUnavailable(said)), name="m", usd=0.0)
    with pytest.raises(ModelUnavailable) as raised:
        Ledger(archive, None, QUICK).ask(1)(model, ASK, "patch")
    assert str(raised.value).endswith(f"the last: {told} later: nothing is lost")


def test_a_refusal_is_final_and_free(archive: Archive) -> None:
    with pytest.raises(ModelRefused, match="no key"):
        Ledger(archive, 1.0, QUICK).ask(1)(Scripted([ModelRefused("no key"), "one"], usd=0.5), ASK, "patch")
    assert archive.spent() == 0


def test_the_cap(archive: Archive) -> None:
    ask = Ledger(archive, 1.0).ask(1)
    model = Scripted(["one", "two", "three"], usd=0.4)
    ask(model, ASK, "patch")
    ask(model, ASK, "patch")
    with pytest.raises(BudgetSpent, match=r"one call may cost \$0.4000, and \$0.2000 of \$1.0000 is left"):
        ask(model, ASK, "patch")
    with pytest.raises(BudgetSpent, match=r"and \$0.000012 of \$0.8000 is left"):
        Ledger(archive, 0.800012).ask(2)(model, ASK, "patch")
    assert (model.calls, len(archive.calls(1))) == (2, 2)


def test_a_cap_without_a_price_is_refused_before_the_first_call(archive: Archive) -> None:
    model = Scripted(["one"], name="m", usd=None)
    with pytest.raises(ModelRefused, match=r"budget of 1 USD cannot be kept.*call of m"):
        Ledger(archive, 1.0).ask(1)(model, ASK, "patch")
    assert (model.calls, archive.calls(1)) == (0, [])
    assert Ledger(archive).ask(1)(model, ASK, "patch").text == "one"


def test_what_a_server_asks_for_is_kept(archive: Archive) -> None:
    model = Scripted([ModelUnavailable("busy", retry_after=0.3, usd=0.0), "one"])
    begun = time.monotonic()
    Ledger(archive, None, QUICK).ask(1)(model, ASK, "patch")
    assert 0.3 <= time.monotonic() - begun < 2
    patient = Scripted([ModelUnavailable("busy", retry_after=3600, usd=0.0), "one"], name="m")
    with pytest.raises(ModelUnavailable, match="m asks for a pause of 3600 s"):
        Ledger(archive, None, QUICK).ask(2)(patient, ASK, "patch")


def test_a_stop_ends_the_pause(archive: Archive) -> None:
    stop = threading.Event()
    ledger = Ledger(archive, None, Patience(first=60.0), stop)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ledger.ask(1), Scripted([LATE, "one"]), ASK, "patch")
        time.sleep(0.1)
        stop.set()
        with pytest.raises(ModelUnavailable, match="stopped while waiting"):
            asked.result(5)


def test_pauses_grow_and_differ() -> None:
    patience = Patience(first=1.0, longest=10.0)
    pauses = [patience.pause(attempt, Random(1), None) for attempt in range(8)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= 15.0
    assert len({patience.pause(0, Random(f"{step}"), None) for step in range(100)}) == 100


def test_many_steps_over_a_server_that_misbehaves(archive: Archive) -> None:
    """Whatever happens, the file never holds less than the server would bill, and every step gets its answer once."""
    faults = Faults(rate_limit=0.1, error=0.1, cut=0.1, empty=0.05, blank=0.05, garbage=0.05, wrong_json=0.05)
    patience = Patience(attempts=12, first=0.001, longest=0.2)
    with nothing_left(), Server(answer=lambda m: "hello", faults=faults, price=Price(3, 9), seed=5) as server:
        model = OpenAICompatible("m", server.url, max_tokens=50, price=Price(3, 9))
        ledger = Ledger(archive, 1.0, patience)
        with closing(model), ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda step: ledger.ask(step)(model, ASK, "patch").text, range(1, 41)))
        assert replies == ["hello"] * 40
        rows = [row for step in range(1, 41) for row in archive.calls(step)]
        assert len(rows) == server.tally.calls > 40
        assert all(settled is not None for _, settled in rows)
        assert archive.spent() >= server.tally.usd > 0
