"""Packings made to keep the scorer busy."""

from __future__ import annotations

import time

import numpy as np
import pytest

from evaluators.packing import feasible
from evaluators.types import Invalid


@pytest.mark.parametrize("radius", [1e-13, 3e-13, 5e-324])
def test_a_thousand_tiny_circles_in_one_place_are_refused_at_once(radius: float) -> None:
    given = np.full((1000, 3), 0.5)
    given[:, 2] = radius
    given[0] = 5e-324
    began = time.process_time()
    with pytest.raises(Invalid, match="too small: nothing is left"):
        feasible(given)
    assert time.process_time() - began < 2.0
