"""What mutation alone finds, beside its baselines at the same number of evaluations.

Circle packing (n = 26), seeds 1, 2, 3: the archive with the default settings, a plain hill climb (the best is always the parent), and
i.i.d. mutations of the seed program. Bin packing with the same proposer and settings: the best program against the seed program on audit
instances, which the search never saw, as a mean paired difference in standard errors.

    python benchmarks/search_power.py [--json] [--steps 23000] [--seeds 1 2 3] [--sandbox auto] [--only circles|bins]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.search import Search
from archive.store import Archive
from evaluators.digest import scoring_digest
from evaluators.engines.local import Sandboxed
from evaluators.types import Evaluation, Job
from problems.loading import load, reference
from sandboxes.choose import choose

ARMS: Mapping[str, Mapping[str, Any]] = {
    "archive": {},
    "hill_climb": {"sampler": {"use": "greedy"}, "islands": 1},
    "iid": {"sampler": {"use": "seed_only"}, "islands": 1},
}
AUDITS = 40


def circles(steps: int, seeds: list[int], sandbox: str) -> dict[str, object]:
    """The verified sums of each arm, by seed."""
    found: dict[str, object] = {}
    for arm, settings in ARMS.items():
        sums, seconds = [], []
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                began = time.monotonic()
                where = reference("circle_packing")
                search = Search(where, Path(folder) / "run.db", steps=steps, seed=seed, sandbox=sandbox, **settings)
                best = search.run().best
                sums.append(best.value if best else math.nan)
                seconds.append(round(time.monotonic() - began, 1))
        found[arm] = sums
        found[f"{arm}_median"] = statistics.median(sums)
        found[f"{arm}_seconds"] = seconds
    return found


def bins(steps: int, seed: int, sandbox: str) -> dict[str, object]:
    """The best program's excess over the seed program's, on instances of other numbers, paired by instance."""
    where = reference("bin_packing")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.db"
        report = Search(where, file, steps=steps, seed=seed, sandbox=sandbox).run()
        with closing(Archive.open(file)) as archive:
            first, salt = archive.entry(0), archive.run.salt
    if report.best is None:
        return {"bins_best": None}
    job = Job(where, scoring_digest(load(where)), {}, stage="audit", seed=seed, salt=salt)
    with closing(Sandboxed(choose(sandbox, "reuse", label="audit")[0], load)) as engine:
        pairs = [
            (engine.evaluate(replace(job, files=report.best.files, repeat=repeat)),
             engine.evaluate(replace(job, files=first.files, repeat=repeat)))
            for repeat in range(1, AUDITS + 1)
        ]  # fmt: skip
    gains = [
        before - after for best, seeded in pairs for after, before in zip(excess(best), excess(seeded), strict=True)
    ]
    error = statistics.stdev(gains) / math.sqrt(len(gains))
    return {
        "bins_instances": len(gains),
        "bins_search_value": report.best.value,
        "bins_seed_search_value": first.value,
        "bins_gain_percent": statistics.fmean(gains),
        "bins_standard_error": error,
        "bins_standard_errors": statistics.fmean(gains) / error if error else math.inf,
    }


def excess(evaluation: Evaluation) -> list[float]:
    """Each instance's bins beyond its lower bound, in percent."""
    if not isinstance(evaluation.artifact, dict):
        raise SystemExit(f"an audit failed: {evaluation.outcome}: {evaluation.feedback}")
    return list(evaluation.artifact["excess_percent"])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--steps", type=int, default=23_000)
    arguments.add_argument("--bin-steps", type=int, default=1000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments.add_argument("--sandbox", default="auto")
    arguments.add_argument("--only", choices=["circles", "bins"])
    given = arguments.parse_args()
    found: dict[str, object] = {}
    if given.only != "bins":
        found |= circles(given.steps, given.seeds, given.sandbox)
    if given.only != "circles":
        for seed in given.seeds:
            found[f"bins_seed_{seed}"] = bins(given.bin_steps, seed, given.sandbox)
    print(json.dumps(found) if given.json else "\n".join(f"{name:24} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
