"""Whatever a scorer or program does, an evaluation comes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators.digest import scoring_digest
from evaluators.engines.fakes import FakeSandbox
from evaluators.engines.local import Sandboxed
from evaluators.types import EngineError, Evaluation, Job
from problems.loading import load
from tests.engines.judges import SEED, where


def job(scorer: str = "honest", source: str = SEED["program.py"], *, secret: bool = False) -> Job:
    reference = where(scorer, secret)
    return Job(reference, scoring_digest(load(reference)), {"program.py": source}, seed=3)


def judged(one: Job, box: FakeSandbox | None = None) -> Evaluation:
    return Sandboxed(box or FakeSandbox(), load).evaluate(one)


def test_an_honest_program_is_scored_with_its_measures_notes_and_artifact() -> None:
    ended = judged(job())
    assert (ended.outcome, ended.value, ended.measures, ended.feedback) == ("scored", 0.5, {"tenth": 0.5}, "noted")
    assert ended.artifact == judged(job()).artifact
    assert ended.sandbox == "fake"
    assert ended.digest == job().digest


def test_audit_draws_other_numbers_than_the_search() -> None:
    assert judged(job()).artifact != judged(replace(job(), stage="audit")).artifact
    assert judged(job()).artifact != judged(replace(job(), salt="other")).artifact


@pytest.mark.parametrize(
    ("scorer", "outcome", "says"),
    [
        ("raising", "scorer", "ZeroDivisionError: the judge tripped"),
        ("endless", "scorer", "longer than its 0.5 s"),
        ("greedy", "scorer", "MiB of memory"),
        ("unmeasured", "scorer", "'tenth' must be a finite number"),
        ("boundless", "scorer", "passes the proved bound 1.5"),
        ("infinite", "scorer", "must be a finite int or float"),
        ("picky", "invalid", "never good enough"),
    ],
)
def test_a_scorer_that_fails_gives_an_outcome_and_no_value(scorer: str, outcome: str, says: str) -> None:
    ended = judged(job(scorer))
    assert (ended.outcome, ended.value) == (outcome, None)
    assert says in ended.feedback


def test_the_scorers_clock_stops_while_the_program_works() -> None:
    assert judged(job("patient", "import time\ndef nap():\n    time.sleep(0.8)\n")).outcome == "scored"


def test_a_scorer_that_cannot_be_stopped_marks_its_engine() -> None:
    engine = Sandboxed(FakeSandbox(), load)
    assert engine.evaluate(job("stuck")).outcome == "scorer"
    assert engine.stuck


def test_an_invalid_reply_is_the_programs_fault() -> None:
    assert judged(job(source="def f():\n    return float('nan')\n")).outcome == "invalid"
    assert judged(job(source="def f():\n    return 3\n")).feedback == "at most 1"


def test_a_lost_box_is_tried_twice_more() -> None:
    assert judged(job(), FakeSandbox(losses=2)).outcome == "scored"
    ended = judged(job(), FakeSandbox(losses=3))
    assert (ended.outcome, ended.retry) == ("crash", True)


def test_hidden_inputs_do_not_leak_through_what_a_failing_program_says() -> None:
    source = "def g():\n    pass\n"
    assert "no function" in judged(job(source=source)).feedback
    assert "withheld" in judged(job(source=source, secret=True)).feedback
    assert "no function" not in judged(job(source=source, secret=True)).feedback


def test_a_job_for_another_scorer_is_refused_with_both_digests() -> None:
    with pytest.raises(EngineError, match=r"has the digest [0-9a-f]{12}, but the job was made for ffff"):
        judged(replace(job(), digest="f" * 64))


def test_a_champions_job_has_a_box_of_its_own() -> None:
    box = FakeSandbox()
    ended = judged(replace(job(), fresh=True), box)
    assert ended.isolation == "strict"
    assert [needs.fresh for needs in box.starts] == [True]
