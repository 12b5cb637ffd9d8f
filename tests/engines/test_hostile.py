"""What a program or a careless scorer may try on an engine."""

from __future__ import annotations

import pytest

from evaluators.engines.fakes import FakeSandbox
from evaluators.engines.local import UNTOLD, Sandboxed
from evaluators.parsing import FINITE, KIND, RANGE, SHAPE
from evaluators.types import Score
from problems.loading import load
from tests.engines.test_local import job, judged


def test_a_reply_of_a_telling_shape_tells_nothing_of_hidden_inputs() -> None:
    source = "import numpy as np\ndef f():\n    return np.zeros((0, 20046, 770031))\n"
    assert "20046" in judged(job(source=source)).feedback
    hidden = judged(job(source=source, secret=True))
    assert (hidden.outcome, hidden.feedback) == ("invalid", SHAPE)


@pytest.mark.parametrize(
    ("said", "outcome", "told"),
    [
        ("7 apples, 9 pears", "invalid", "it says too much"),
        ("pear", "invalid", UNTOLD),
        ("apples", "scored", "it said something"),
    ],
)
def test_a_scorer_that_quotes_a_program_tells_nothing_of_hidden_inputs(said: str, outcome: str, told: str) -> None:
    source = f"def f():\n    print({said!r})\n    return {said!r}\n"
    assert said in judged(job("quoting", source)).feedback
    hidden = judged(job("quoting", source, secret=True))
    assert (hidden.outcome, hidden.feedback) == (outcome, told)


@pytest.mark.parametrize("reply", ["None", "'a'", "[1]", "1e200", "2 ** 54", "float('nan')", "[[0.5]]", "True"])
def test_what_parsing_tells_where_inputs_are_hidden_is_one_of_four_sentences(reply: str) -> None:
    hidden = judged(job(source=f"def f():\n    return {reply}\n", secret=True))
    assert (hidden.outcome, hidden.feedback in (KIND, SHAPE, FINITE, RANGE)) == ("invalid", True)


@pytest.mark.parametrize("scorer", ["wordless", "untold", "textual", "codeful", "unbounded"])
def test_a_score_that_cannot_be_kept_is_the_scorers_fault(scorer: str) -> None:
    ended = Sandboxed(FakeSandbox(), load).evaluate(job(scorer))
    assert (ended.outcome, ended.value) == ("scorer", None)


def test_scores_are_plain_data() -> None:
    assert isinstance(Score(1).value, int)
    assert type(judged(job()).value) is float
