"""Money that is reserved in flight is waited for, and a file is not made with settings that cannot be."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from agent.ledger import Ledger
from agent.models.scripted import Scripted
from agent.search import Search
from agent.strategies import SettingsError
from agent.types import Message
from archive.samplers import Uniform, drawing
from archive.types import BudgetSpent
from problems.loading import reference
from tests.archive.helpers import seeded


def slow(messages: list[Message]) -> str:
    time.sleep(0.2)
    return "done"


def test_a_call_waits_for_the_money_of_calls_in_flight(tmp_path: Path) -> None:
    with closing(seeded(tmp_path / "run.db")) as archive:
        for number in range(1, 9):
            archive.begin(number, drawing(archive.run, Uniform(), number))
        ledger, ended = Ledger(archive, cap=0.85), []  # type: ignore[var-annotated]

        def ask(step: int) -> None:
            try:
                ended.append(ledger.ask(step)(Scripted(slow, usd=0.2), [{"role": "user", "content": "?"}], "patch").text)
            except BudgetSpent:
                ended.append("spent")

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == ["done"] * 4 + ["spent"] * 4
        assert archive.spent() == pytest.approx(0.8)


@pytest.mark.parametrize("wrong", [{"sampler": {"use": "fittness"}}, {"proposer": {"use": "mutat"}}])
def test_a_misspelt_strategy_makes_no_file(tmp_path: Path, wrong: dict[str, dict[str, str]]) -> None:
    file = tmp_path / "run.db"
    with pytest.raises(SettingsError, match="Did you mean"):
        Search(reference("circle_packing"), file, **wrong).run()  # type: ignore[arg-type]
    assert not file.exists()
