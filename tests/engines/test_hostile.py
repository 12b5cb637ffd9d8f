"""What a program or a careless scorer may try on an engine."""

from __future__ import annotations

import pytest

from evaluators.engines.fakes import FakeSandbox
from evaluators.engines.local import Sandboxed
from evaluators.types import Score
from problems.loading import load
from tests.engines.test_local import job, judged


def test_a_reply_of_a_telling_shape_tells_nothing_of_hidden_inputs() -> None:
    source = "import numpy as np\ndef f():\n    return np.zeros((0, 20046, 770031))\n"
    assert "20046" in judged(job(source=source)).feedback
    hidden = judged(job(source=source, secret=True))
    assert hidden.outcome == "invalid"
    assert "must have shape" in hidden.feedback
    assert not any(figure in hidden.feedback for figure in ("20046", "770031"))


@pytest.mark.parametrize("scorer", ["wordless", "textual", "codeful", "unbounded"])
def test_a_score_that_cannot_be_kept_is_the_scorers_fault(scorer: str) -> None:
    ended = Sandboxed(FakeSandbox(), load).evaluate(job(scorer))
    assert (ended.outcome, ended.value) == ("scorer", None)


def test_scores_are_plain_data() -> None:
    assert isinstance(Score(1).value, int)
    assert type(judged(job()).value) is float
