"""Return a number between 0 and 1, as large as you can. Write `f()`."""

from random import Random

from evaluators.parsing import floats, require
from evaluators.types import Score
from problems.types import Axis, Problem, beside
from sandboxes.types import Program


def score(program: Program, rng: Random) -> Score:
    """The number itself."""
    value = float(floats(program.call("f")))
    require(0 <= value <= 1, f"f() must be between 0 and 1; it is {value!r}")
    return Score(value, {"digit": value * 1000 % 10})


PROBLEM = Problem(
    "trivial", __doc__ or "", beside(__file__, "seed.py"), score, axes=(Axis("digit", 0, 10, 100),), bound=1.0
)
