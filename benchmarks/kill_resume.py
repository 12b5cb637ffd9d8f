"""A run that is killed with SIGKILL again and again, at step numbers drawn over its whole length, and goes on each time.

Afterwards: every step exactly once, nothing proposed again that was committed, the file intact, every selection recomputed; after each
kill, no Ray process and no container of the run is left after 10 seconds.

    python benchmarks/kill_resume.py [--json] [--kills 20] [--steps 300] [--sandbox docker]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evaluators.engines.guardian import descendants

ELITES = Path(sys.executable).parent / "elites"


def command(file: Path, steps: int, sandbox: str, engine: str) -> list[str]:
    return [
        str(ELITES), "run", "circle_packing", "--file", str(file), "--steps", str(steps), "--evaluations", "4",
        "--sandbox", sandbox, "--engine", engine,
    ]  # fmt: skip


def count(file: Path, table: str) -> int:
    """Rows of a table; 0 while there is no such file or table."""
    if not file.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def alive(pids: set[int]) -> set[int]:
    """Those that still run, zombies apart."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def containers(sandbox: str, file: Path) -> int:
    """How many containers of the run there are."""
    if sandbox != "docker":
        return 0
    named = ["docker", "ps", "-aq", "--filter", f"label=elites.run={file}"]
    return len(subprocess.run(named, capture_output=True, text=True, check=True).stdout.split())


def killed_at(file: Path, step: int, run: list[str], sandbox: str) -> dict[str, int]:
    """Run until so many evaluations are committed, kill, and count what is left after 10 seconds."""
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while count(file, "evaluations") < step and process.poll() is None:
        time.sleep(0.02)
    below = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 10
    while time.monotonic() < until and (alive(below) or containers(sandbox, file)):
        time.sleep(0.25)
    return {"processes": len(alive(below)), "containers": containers(sandbox, file), "at": count(file, "evaluations")}


def invariants(file: Path, steps: int) -> dict[str, object]:
    """What must hold of the finished file."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute(
            "SELECT step, count(*) FROM evaluations WHERE stage = 'score' GROUP BY step"
        ).fetchall()
        proposed = connection.execute(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM candidates GROUP BY step)"
        ).fetchone()[0]
        intact = connection.execute("PRAGMA integrity_check").fetchone()[0]
    checked = subprocess.run([str(ELITES), "check-run", str(file)], capture_output=True, text=True, check=False)
    return {
        "every_step_once": sorted(rows) == [(step, 1) for step in range(steps + 1)],
        "most_candidates_of_a_step": proposed,
        "integrity_check": intact,
        "check_run_exit": checked.returncode,
    }


def measure(kills: int, steps: int, sandbox: str, engine: str) -> dict[str, object]:
    """The whole trial."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.db"
        run = command(file, steps, sandbox, engine)
        marks = sorted(random.Random(7).sample(range(1, steps), kills))
        left = [killed_at(file, mark, run, sandbox) for mark in marks]
        before = count(file, "candidates")
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
        return {
            "kills": kills,
            "killed_after": [one["at"] for one in left],
            "processes_left": sum(one["processes"] for one in left),
            "containers_left": sum(one["containers"] for one in left),
            "candidates_before_the_last_resume": before,
            **invariants(file, steps),
        }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--steps", type=int, default=300)
    arguments.add_argument("--sandbox", default="docker")
    arguments.add_argument("--engine", default="ray")
    given = arguments.parse_args()
    found = measure(given.kills, given.steps, given.sandbox, given.engine)
    print(json.dumps(found) if given.json else "\n".join(f"{name:36} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
