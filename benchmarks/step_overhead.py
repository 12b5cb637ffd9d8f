"""The framework's own time per step: everything but the model and the program, on a real file, as the file grows.

The real loop runs with one step at a time: islands, sampler, prompt, ledger, reply parsing, five commits, the fold. The model answers at
once and the engine scores at once; what they take themselves is measured and left out.

    python benchmarks/step_overhead.py [--json]
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from agent.controller import Controller
from agent.events import Event, Finished
from agent.ledger import Ledger
from agent.models.scripted import Scripted
from agent.proposers.patch import Patch
from agent.types import Message
from archive.samplers import Uniform
from archive.store import Archive
from archive.types import Run
from evaluators.digest import scoring_digest
from evaluators.types import Evaluation, Job
from problems.loading import load, reference

SIZES = (1_000, 10_000, 100_000)
WINDOW = 1_000


class Instant:
    """An engine that reads the number off the program, and a clock of what it and the model take."""

    def __init__(self) -> None:
        self.outside = 0.0

    def evaluate(self, job: Job) -> Evaluation:
        began = time.perf_counter()
        value = float(job.files["program.py"].split("return ")[1].split()[0])
        evaluation = Evaluation(
            "scored", value, {"digit": value * 1000 % 10}, "fine", digest=job.digest, sandbox="none"
        )
        self.outside += time.perf_counter() - began
        return evaluation

    def answer(self, messages: list[Message]) -> str:
        began = time.perf_counter()
        self.count = getattr(self, "count", 0) + 1
        old = re.findall(r"^    return 0\.\d+$", messages[-1]["content"], re.M)[0]
        new = f"    return 0.{self.count * 7919 % 9_999_991:07d}"
        self.outside += time.perf_counter() - began
        return f"A larger number.\n\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"

    def close(self) -> None:
        """Nothing to end."""


def measure(sizes: tuple[int, ...] = SIZES, window: int = WINDOW) -> dict[str, float]:
    """Median and mean milliseconds per step over `window` steps that begin at each size."""
    where = reference(str(Path(__file__).parent / "trivial"))
    problem = load(where)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(
            where, scoring_digest(problem), problem.sense, seed=1, salt="", islands=4, migration=20, sampler='{"use":"uniform"}',
            proposer='{"use":"patch"}', axes=tuple({"name": a.name, "low": a.low, "high": a.high, "bins": a.bins} for a in problem.axes),
        )  # fmt: skip
        archive = Archive.create(Path(folder) / "run.db", run)
        instant = Instant()
        marks: list[float] = []

        def heard(event: Event) -> None:
            if isinstance(event, Finished):
                marks.append(time.perf_counter() - instant.outside)

        controller = Controller(
            archive, where, problem, Patch(Scripted(instant.answer)), Uniform(), instant, Ledger(archive, None).ask,
            evaluations=1, proposals=1, listener=heard,
        )  # fmt: skip
        controller.run(archive.unfinished(max(sizes) + window))
        archive.close()
    return figures(marks, sizes, window)


def figures(marks: list[float], sizes: tuple[int, ...], window: int) -> dict[str, float]:
    """Median and mean of the steps after each size, in milliseconds."""
    found: dict[str, float] = {}
    for size in sizes:
        part = marks[size : size + window + 1]
        steps = [1000 * (after - before) for before, after in pairwise(part)]
        found[f"median_ms_at_{size}"] = round(statistics.median(steps), 3)
        found[f"mean_ms_at_{size}"] = round(statistics.fmean(steps), 3)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--most", type=int, default=max(SIZES), help="leave out the sizes above this one")
    given = arguments.parse_args()
    found = measure(tuple(size for size in SIZES if size <= given.most))
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:24} {value:8.3f}")


if __name__ == "__main__":
    main()
