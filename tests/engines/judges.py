"""Problems with scorers of every temper, for the engines' tests."""

from __future__ import annotations

import time
from random import Random

from evaluators.parsing import floats, require
from evaluators.types import Invalid, Reference, Score, Scoring
from problems.types import Axis, Problem
from sandboxes.types import Program

SEED = {"program.py": "def f():\n    return 0.5\n"}
HERE = __name__


def honest(program: Program, rng: Random) -> Score:
    value = float(floats(program.call("f")))
    require(value <= 1, "at most 1")
    return Score(value, {"tenth": value}, "noted", [value, rng.random()])


def raising(program: Program, rng: Random) -> Score:
    raise ZeroDivisionError("the judge tripped")


def endless(program: Program, rng: Random) -> Score:
    while True:
        pass


def patient(program: Program, rng: Random) -> Score:
    """Slow programs do not count against the scorer."""
    program.call("nap")
    return Score(1.0, {"tenth": 0.0})


def stuck(program: Program, rng: Random) -> Score:
    time.sleep(4)
    return Score(1.0, {"tenth": 0.0})


def greedy(program: Program, rng: Random) -> Score:
    held = []
    while True:
        held.append(bytearray(1 << 20))
        time.sleep(0.001)


def unmeasured(program: Program, rng: Random) -> Score:
    return Score(1.0)


def wordless(program: Program, rng: Random) -> Score:
    return Score(1.0, {"tenth": 0.0}, notes=None)  # type: ignore[arg-type]


def untold(program: Program, rng: Random) -> Score:
    return Score(1.0, {"tenth": 0.0}, told=b"bytes")  # type: ignore[arg-type]


def textual(program: Program, rng: Random) -> Score:
    return Score(1.0, {"tenth": 0.0, "other": "much"})  # type: ignore[dict-item]


def codeful(program: Program, rng: Random) -> Score:
    return Score(1.0, {"tenth": 0.0}, artifact=print)  # type: ignore[arg-type]


def unbounded(program: Program, rng: Random) -> Score:
    return Score(1.0, {"tenth": 0.0, "other": float("nan")})


def boundless(program: Program, rng: Random) -> Score:
    return Score(2.0, {"tenth": 0.0})


def infinite(program: Program, rng: Random) -> Score:
    return Score(float("inf"), {"tenth": 0.0})


def quoting(program: Program, rng: Random) -> Score:
    """Says what the program said, in every place that has room for it."""
    said = str(program.call("f"))
    require(len(said) < 9, f"what is {said}?", "it says too much")
    if len(said) < 5:
        raise Invalid(f"no use for {said}")
    return Score(1.0, {"tenth": 0.0}, f"it said {said}", told="it said something")


def picky(program: Program, rng: Random) -> Score:
    raise Invalid("never good enough")


SCORERS = {
    scorer.__name__: scorer
    for scorer in (
        honest,
        raising,
        endless,
        patient,
        stuck,
        greedy,
        unmeasured,
        boundless,
        infinite,
        picky,
        quoting,
        wordless,
        untold,
        textual,
        codeful,
        unbounded,
    )
}


def problem(scorer: str = "honest", secret: bool = False) -> Problem:
    return Problem(
        "judged", "Return a number.", SEED, SCORERS[scorer], axes=(Axis("tenth", 0, 1, 10),), bound=1.5, secret=secret,
        scoring=Scoring(seconds=0.5, memory_mb=200),
    )  # fmt: skip


def where(scorer: str = "honest", secret: bool = False) -> Reference:
    return Reference(f"{HERE}:problem", {"scorer": scorer, "secret": secret})
