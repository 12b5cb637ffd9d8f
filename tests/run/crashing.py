"""A small run in a process of its own that is killed right after its n-th commit; `python -m tests.run.crashing FILE N WORKERS`."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from pathlib import Path

from agent.controller import Controller
from agent.ledger import Ledger
from agent.models.scripted import Scripted
from agent.proposers.patch import Patch
from agent.types import Message
from archive.samplers import Uniform
from archive.store import Archive
from archive.types import Run
from evaluators.types import Evaluation, Job, Reference
from problems.types import Axis, Problem

STEPS = 6
COMMITS = {"begin", "add", "record", "reserve", "settle"}
SEED = "# EVOLVE-BLOCK-START\ndef f():\n    return 0.5\n# EVOLVE-BLOCK-END\n"
AXES = (Axis("tenth", 0, 1, 10),)
PROBLEM = Problem("number", "Return a number.", {"program.py": SEED}, lambda program, rng: NotImplemented, axes=AXES)


class Dying:
    """An archive that kills its process after so many commits."""

    def __init__(self, archive: Archive, commits: int) -> None:
        self._archive = archive
        self._left = commits
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> object:
        found = getattr(self._archive, name)
        if name not in COMMITS:
            return found

        def committed(*args: object, **kwargs: object) -> object:
            result = found(*args, **kwargs)
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return result

        return committed


class Reading:
    """An engine that reads the number off the program."""

    def evaluate(self, job: Job) -> Evaluation:
        value = float(job.files["program.py"].split("return ")[1].split()[0])
        return Evaluation("scored", value, {"tenth": value}, digest=job.digest)

    def close(self) -> None:
        """Nothing to end."""


def answer(messages: list[Message]) -> str:
    """The parent's number, changed as a function of the prompt alone."""
    old = re.findall(r"^    return 0\.\d+$", messages[-1]["content"], re.M)[0]
    new = int(old.split(".")[1]) * 7919 % 99991
    return f"<<<<<<< SEARCH\n{old}\n=======\n    return 0.{new:05d}\n>>>>>>> REPLACE\n"


def run(file: Path, commits: int, workers: int, steps: int = STEPS) -> None:
    """Carry the run out, or on; be killed after so many commits (0: never)."""
    if file.exists():
        archive = Archive.open(file, write=True)
    else:
        axes = tuple({"name": a.name, "low": a.low, "high": a.high, "bins": a.bins} for a in AXES)
        archive = Archive.create(
            file,
            Run(
                Reference("number"),
                "d" * 64,
                "maximize",
                1,
                "",
                2,
                3,
                '{"use":"uniform"}',
                '{"use":"patch"}',
                axes=axes,
            ),
        )
    dying: Archive = Dying(archive, commits)  # type: ignore[assignment]
    controller = Controller(
        dying, Reference("number"), PROBLEM, Patch(Scripted(answer)), Uniform(inspirations=1), Reading(), Ledger(dying, None).ask,
        evaluations=workers, proposals=workers,
    )  # fmt: skip
    controller.run(archive.unfinished(steps))
    archive.close()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else STEPS)
