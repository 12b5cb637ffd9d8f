from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from evaluators.fakes import FakeProgram
from evaluators.types import Evaluation, Invalid
from problems.bin_packing.problem import problem as bin_packing
from problems.circle_packing import problem as module
from problems.circle_packing.problem import problem as circle_packing
from problems.conformance import check_problem
from problems.types import Axis, Problem
from sandboxes.types import MAIN, Files, ProgramError

SMALL = bin_packing(items=30, instances=2)


def trusted(problem: Problem) -> Callable[[Files], Evaluation]:
    """Scores trusted programs without a sandbox."""

    def evaluate(files: Files) -> Evaluation:
        try:
            score = problem.score(FakeProgram.of(files[MAIN]), Random("0/salt/score/0"))
        except Invalid as error:
            return Evaluation("invalid", feedback=str(error))
        except ProgramError as error:
            return Evaluation(error.kind, feedback=error.text)
        except (RuntimeError, SyntaxError) as error:
            return Evaluation("crash", feedback=repr(error))
        return Evaluation("scored", score.value, score.measures, score.notes, score.artifact)

    return evaluate


@pytest.mark.parametrize("problem", [circle_packing(), circle_packing(n=1), circle_packing(n=32), SMALL, bin_packing("weibull", 20, 1)])
def test_bundled_problems_keep_to_the_rules(problem: Problem) -> None:
    assert check_problem(problem, trusted(problem)) == []


@pytest.mark.parametrize("n", [1, 2, 3, 10, 25, 26, 27, 50, 120])
def test_the_seed_packs_any_number_of_circles(n: int) -> None:
    problem = circle_packing(n)
    score = problem.checked(problem.score(FakeProgram.of(problem.seed[MAIN]), Random(0)))
    assert np.asarray(score.artifact).shape == (n, 3)


def test_the_seed_is_simple() -> None:
    problem = circle_packing()
    score = problem.score(FakeProgram.of(problem.seed[MAIN]), Random(0))
    assert 0.9 < score.value < 1.05


@pytest.mark.parametrize("n", [26, 32])
def test_records_lie_below_the_bound_and_name_their_source(n: int) -> None:
    problem = circle_packing(n)
    assert problem.bound is not None
    assert all(record.value < problem.bound and record.source.count("https://") == 1 for record in problem.records)
    assert max(record.value for record in problem.records) == problem.records[-1].value


def test_one_circle_reaches_its_bound_and_nothing_passes_it() -> None:
    assert module.bound(1) == 0.5
    assert module.bound(26) ** 2 * np.pi >= 26


@pytest.mark.parametrize("n", [0, -1, 1001])
def test_impossible_parameters_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match="n must be"):
        circle_packing(n)
    with pytest.raises(ValueError, match="at least 1"):
        bin_packing(items=min(n, 0))


def test_the_plot_draws_every_circle(tmp_path: Path) -> None:
    problem = circle_packing(7)
    score = problem.score(FakeProgram.of(problem.seed[MAIN]), Random(0))
    figure = module.plot(score.artifact)
    assert len(figure.axes[0].patches) == 7
    FigureCanvasAgg(figure).print_png(str(tmp_path / "packing.png"))
    assert (tmp_path / "packing.png").stat().st_size > 1000


def broken(**changes: object) -> Problem:
    from dataclasses import replace

    return replace(circle_packing(4), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (broken(statement="Pack."), "says too little"),
        (broken(name="circle packing"), "no identifier"),
        (broken(axes=(Axis("walls", 1, 0, 4),)), "low up to a finite high"),
        (broken(axes=(Axis("walls", 0, 1, 4),) * 2), "must differ"),
        (broken(seed={"other.py": ""}), "no program.py"),
        (broken(seed={MAIN: "def pack(n:\n"}), "no Python"),
        (broken(seed={MAIN: "# EVOLVE-BLOCK-START\ndef pack(n): return []\n"}), "0 EVOLVE-BLOCK-END"),
        (broken(seed={MAIN: "def pack(n): return []\n"}), "the seed must score"),
        (broken(axes=(Axis("walls", 5, 6, 4),)), "outside 5 … 6"),
        (broken(bound=0.1), "passes the bound"),
        (broken(plot=lambda artifact: artifact.nothing), "does not draw"),
    ],
)
def test_what_is_wrong_is_found(problem: Problem, says: str) -> None:
    assert says in " ".join(check_problem(problem, trusted(problem)))


def test_a_scorer_that_lets_junk_pass_is_found() -> None:
    problem = circle_packing(4)
    lenient = Evaluation("scored", 1.0, {"evenness": 0.5, "walls": 0.5})
    assert "must not score" in " ".join(check_problem(problem, lambda files: lenient))


def test_a_scorer_that_draws_its_own_chance_is_found() -> None:
    problem = broken(axes=(), plot=None)
    values = iter(range(100))
    findings = check_problem(problem, lambda files: Evaluation("scored", float(next(values)) / 1000))
    assert "the same program must score the same twice" in findings[0]
