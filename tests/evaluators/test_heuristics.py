import itertools
import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators import heuristics
from evaluators.fakes import FakeProgram
from evaluators.types import Invalid, Score


def first_fit(item: float, bins: Any) -> Any:
    return -np.arange(len(bins))


def best_fit(item: float, bins: Any) -> Any:
    return -bins


def scored(priority: Any, seed: str = "1/salt/score/0", **sizes: Any) -> Score:
    return heuristics.online_bin_packing(**sizes)(FakeProgram({"priority": priority}), Random(seed))


def plain_first_fit(sizes: list[int], capacity: int) -> int:
    left: list[int] = []
    for size in sizes:
        for index, space in enumerate(left):
            if space >= size:
                left[index] -= size
                break
        else:
            left.append(capacity - size)
    return len(left)


@pytest.mark.parametrize("family", ["uniform", "weibull"])
def test_first_fit_is_first_fit(family: heuristics.Family) -> None:
    rng = Random("7")
    sizes = heuristics.draw(family, 100, rng)
    capacity = heuristics.CAPACITY[family]
    used = heuristics.pack(FakeProgram({"priority": first_fit}), sizes, capacity, heuristics.Tally())
    assert used == plain_first_fit(sizes, capacity)


def test_best_fit_beats_first_fit_on_average() -> None:
    seeds = [f"1/salt/audit/{repeat}" for repeat in range(6)]
    gain = [scored(first_fit, seed).value - scored(best_fit, seed).value for seed in seeds]
    assert sum(gain) > 0


def test_measures_say_how_a_heuristic_chooses() -> None:
    assert scored(best_fit).measures == {"tightest": 1.0, "opened": 0.0}
    worst = scored(lambda item, bins: bins)
    assert worst.measures["opened"] == 1.0
    assert worst.measures["tightest"] == 0.0
    assert worst.value > 40


def test_the_value_is_the_mean_of_the_instances() -> None:
    score = scored(best_fit, instances=3, items=40)
    assert isinstance(score.artifact, dict)
    excesses = score.artifact["excess_percent"]
    assert isinstance(excesses, list)
    assert len(excesses) == 3
    assert score.value == pytest.approx(np.mean(np.array(excesses, dtype=float)))


@pytest.mark.parametrize(
    "reply",
    [
        None, 1.0, [], "high", math.nan, [math.nan] * 2, np.array([1.0]), np.array([[1.0, 2.0]]), [True, False],
        {"best": 0}, [1j, 2j], [math.inf, 0.0], np.array([0.0, -math.inf]),
    ],
)  # fmt: skip
def test_what_is_no_priority_for_each_bin_is_refused(reply: Any) -> None:
    with pytest.raises(Invalid):
        heuristics.pack(FakeProgram({"priority": lambda item, bins: reply}), [50, 50], 150, heuristics.Tally())


def test_a_program_cannot_change_the_bins_it_is_shown() -> None:
    def cheat(item: float, bins: Any) -> Any:
        bins[:] = 1e9
        return np.zeros(len(bins))

    assert scored(cheat).value == scored(first_fit).value


def test_a_program_that_makes_our_instances_again_from_the_seed_gains_nothing() -> None:
    """It knows the public generator, the run's seed, the stage and the repeat, but not the salt."""
    guessed = Random("1//score/0")
    known = list(itertools.chain(*(heuristics.draw("uniform", 250, guessed) for _ in range(4))))

    def foresees(actual: str) -> bool:
        rng = Random(actual)
        return known == list(itertools.chain(*(heuristics.draw("uniform", 250, rng) for _ in range(4))))

    assert foresees("1//score/0")
    assert not foresees("1/9f86d081884c7d659a2feaa0c55ad015/score/0")
    salted = heuristics.draw("uniform", 250, Random("1/9f86d081884c7d659a2feaa0c55ad015/score/0"))
    agree = sum(a == b for a, b in zip(known, salted, strict=False))
    assert agree < 25  # 250/81 agree by chance


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=7))
def test_the_lower_bound_is_one(sizes: list[int]) -> None:
    bound = heuristics.lower_bound(sizes, 20)
    assert bound >= -(-sum(sizes) // 20)
    assert bound <= fewest(sizes, 20)


def fewest(sizes: list[int], capacity: int) -> int:
    """The optimum, by trying every order with first fit."""
    return min(plain_first_fit(list(order), capacity) for order in set(itertools.permutations(sizes)))


def test_the_lower_bound_sees_what_cannot_share() -> None:
    assert heuristics.lower_bound([11, 11, 11], 20) == 3
    assert heuristics.lower_bound([14, 7, 14, 7], 20) == 3
    assert heuristics.lower_bound([10, 10], 20) == 1
