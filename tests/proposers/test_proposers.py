"""Patch, Rewrite and Roulette with scripted models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from agent.models.scripted import Scripted, nudge
from agent.prompts.prompts import proposal
from agent.proposers.patch import Patch
from agent.proposers.rewrite import Rewrite
from agent.proposers.roulette import Roulette
from agent.types import Message, Model, ModelUnavailable, NoProgram, Proposer, Reply, Turn
from tests.proposers.cases import PROBLEM, SEED, selection
from tests.proposers.test_patched import HALF, PLAIN, STEP

CHANGED = {"program.py": SEED.replace(STEP, HALF)}
WHOLE = f"All anew.\n```python\n{CHANGED['program.py']}```"


@dataclass
class Asking:
    """An `Ask` that goes straight to the model and remembers what was asked."""

    asked: list[tuple[str, Sequence[Message]]] = field(default_factory=list)

    def __call__(self, model: Model, messages: Sequence[Message], purpose: str) -> Reply:
        self.asked.append((purpose, messages))
        return model(messages)

    def turn(self, step: int = 1) -> Turn:
        return Turn(step, Random(f"1/{step}/propose"), self)


@pytest.mark.parametrize(
    ("make", "answer", "form"), [(Patch, f"I halve it.\n{PLAIN}", "patch"), (Rewrite, WHOLE, "rewrite")]
)
def test_a_proposal(make: type[Patch] | type[Rewrite], answer: str, form: str) -> None:
    asking = Asking()
    made = make(Scripted([answer], name="m"))(PROBLEM, selection(), asking.turn())
    assert (made.files, made.author) == (CHANGED, f"{form}:m")
    assert made.note == ("I halve it." if form == "patch" else "All anew.")
    assert [purpose for purpose, _ in asking.asked] == [form]


@pytest.mark.parametrize(("make", "answer"), [(Patch, PLAIN), (Rewrite, WHOLE)])
def test_a_second_question_has_the_reason(make: type[Patch] | type[Rewrite], answer: str) -> None:
    asking = Asking()
    first = "<<<<<<< SEARCH\n    step = 9 / n\n=======\n>>>>>>> REPLACE"
    made = make(Scripted([first, answer]))(PROBLEM, selection(), asking.turn())
    assert made.files == CHANGED
    (_, messages), (purpose, more) = asking.asked
    assert purpose.endswith(" again")
    assert [*messages, {"role": "assistant", "content": first}] == more[:-1]
    assert "The closest lines are 11 to 13 of program.py" in more[-1]["content"]


@pytest.mark.parametrize("make", [Patch, Rewrite])
def test_two_replies_without_a_program(make: type[Patch] | type[Rewrite]) -> None:
    model = Scripted(["no", "No again."])
    with pytest.raises(NoProgram, match="No again"):
        make(model)(PROBLEM, selection(), Asking().turn())
    assert model.calls == 2


def test_a_model_that_cannot_be_reached_is_no_answer() -> None:
    with pytest.raises(ModelUnavailable):
        Patch(Scripted([]))(PROBLEM, selection(), Asking().turn())


def test_a_roulette_draws_by_weight_and_place() -> None:
    patch, rewrite = Patch(Scripted(lambda m: PLAIN)), Rewrite(Scripted(lambda m: WHOLE))
    mixed = Roulette(((patch, 3.0), (rewrite, 1.0)))

    def authors() -> list[str]:
        return [mixed(PROBLEM, selection(), Asking().turn(step)).author for step in range(400)]

    drawn = authors()
    assert 250 < drawn.count("patch:scripted") < 350
    assert drawn == authors()


@pytest.mark.parametrize("weights", [(), (0.0,), (-1.0, 2.0)])
def test_a_roulette_without_weight(weights: tuple[float, ...]) -> None:
    proposers: list[tuple[Proposer, float]] = [(Patch(Scripted([])), weight) for weight in weights]
    with pytest.raises(ValueError, match="weights"):
        Roulette(proposers)(PROBLEM, selection(), Asking().turn())


def test_the_model_without_insight_makes_programs() -> None:
    made = Patch(Scripted(nudge))(PROBLEM, selection(), Asking().turn())
    assert made.files != {"program.py": SEED}
    messages = proposal(PROBLEM, selection(), "patch")
    assert nudge(messages, 1) == nudge(messages, 1)
    assert len({nudge(messages, turn) for turn in range(20)}) > 5
    assert "no program" in nudge([{"role": "user", "content": "hello"}])
