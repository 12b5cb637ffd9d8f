"""The problem that `elites new` makes is one on which a newcomer sees the search at work."""

from __future__ import annotations

from pathlib import Path

from tests.console.conftest import Elites


def test_mutation_soon_improves_the_seed(elites: Elites, tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    assert elites("new", tmp_path / "points").code == 0
    words = ("--engine", "local", "--sandbox", "process", "--evaluations", 1)
    assert elites("run", tmp_path / "points", "n=12", "--steps", 60, "--file", file, *words).code == 0
    seed, best = elites("show", file, 0, "--json").json, elites("best", file, "--json").json
    assert round(seed["value"], 3) == 0.118, "the README names it"
    assert best["value"] > 1.2 * seed["value"]
    assert best["verified"] is True
