"""The rate of whole steps, beside OpenEvolve from PyPI (in an environment of its own), against one local model server.

A trivial program that every reply rewrites whole, two workers each; the rate is counted by the server: calls between the first and the
last, per second. First the server answers at once (ours with the sandbox on, theirs without one, as they have none), then it takes a
second and 64 proposals are in flight.

    python benchmarks/peers.py [--json] [--steps 800] [--long 3000] [--skip-peer]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from agent.models.server import Server
from agent.types import Message

HERE = Path(__file__).parent
PROGRAM = "# EVOLVE-BLOCK-START\ndef f():\n    return {}\n\n\n# EVOLVE-BLOCK-END\n"
EVALUATOR = """
import importlib.util

def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("program", program_path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    value = float(module.f())
    return {"combined_score": value, "digit": value * 1000 % 10}
"""
CONFIG = """
max_iterations: {steps}
checkpoint_interval: 100000
diff_based_evolution: false
log_level: WARNING
llm:
  api_base: {url}
  api_key: none
  models: [{{name: local, weight: 1.0}}]
  timeout: 60
database: {{feature_dimensions: [digit], feature_bins: 100, num_islands: 4}}
evaluator: {{parallel_evaluations: {workers}, cascade_evaluation: false, timeout: 30}}
"""


class Answers:
    """Whole programs, each with a number that was not there before, and when each was asked for."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, messages: Sequence[Message]) -> str:
        self.times.append(time.monotonic())
        return f"A larger number.\n\n```python\n{PROGRAM.format(random.random())}```\n"


def rate(times: list[float]) -> float:
    """Calls per second from the first to the last."""
    return round((len(times) - 1) / (times[-1] - times[0]), 2) if len(times) > 1 else 0.0


def ours(steps: int, latency: float, proposals: int, sandbox: str) -> list[float]:
    """When our calls arrived at the server."""
    with tempfile.TemporaryDirectory() as folder, Server(answers := Answers(), latency) as server:
        settings = Path(folder) / "run.toml"
        settings.write_text('proposer = {use = "rewrite"}\n')
        command = [
            str(Path(sys.executable).parent / "elites"), "run", str(HERE / "trivial"), "--settings", str(settings),
            "--file", f"{folder}/run.db", "--steps", str(steps), "--model", "local", "--base-url", server.url, "--evaluations", "2",
            "--proposals", str(proposals), "--sandbox", sandbox, "--price-in", "0", "--price-out", "0",
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OPENAI_API_KEY": "none"})
        return answers.times


def theirs(python: Path, steps: int, latency: float, workers: int, patience: float) -> list[float]:
    """When OpenEvolve's calls arrived at the server, up to `patience` seconds."""
    with tempfile.TemporaryDirectory() as folder, Server(answers := Answers(), latency) as server:
        home = Path(folder)
        (home / "initial_program.py").write_text(PROGRAM.format(0.1))
        (home / "evaluator.py").write_text(EVALUATOR)
        (home / "config.yaml").write_text(CONFIG.format(steps=steps, url=server.url, workers=workers))
        command = [
            str(python.parent / "openevolve-run"),
            "initial_program.py",
            "evaluator.py",
            "--config",
            "config.yaml",
        ]
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(30)
        return answers.times


def peer() -> Path:
    """The python of an environment with OpenEvolve, made once."""
    home = Path(tempfile.gettempdir()) / f"elites-peers-{os.getuid()}"
    python = home / "bin" / "python"
    if not (home / "bin" / "openevolve-run").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "openevolve==0.4.0"], check=True)
    return python


def measure(steps: int, long: int, sandbox: str, *, skip_peer: bool) -> dict[str, float]:
    """The figures, by name."""
    found: dict[str, float] = {}
    times = ours(long, 0.0, 4, sandbox)
    found["ours_steps_per_s"] = rate(times[:steps])
    found[f"ours_steps_per_s_last_500_of_{long}"] = rate(times[-500:])
    slow = ours(640, 1.0, 64, sandbox)
    found["ours_share_of_64_per_s"] = round(rate(slow) / 64, 3)
    found["ours_share_of_64_per_s_after_start"] = round(rate(slow[64:]) / 64, 3)
    if not skip_peer:
        python = peer()
        began = time.monotonic()
        times = theirs(python, long, 0.0, 2, 300)
        found["openevolve_steps_per_s"] = rate(times[:steps])
        found["openevolve_steps_per_s_last_500"] = rate(times[-500:])
        found["openevolve_long_run_seconds"] = round(time.monotonic() - began, 1)
        found["openevolve_share_of_64_per_s"] = round(rate(theirs(python, 640, 1.0, 64, 120)) / 64, 3)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--steps", type=int, default=800)
    arguments.add_argument("--long", type=int, default=3000)
    arguments.add_argument("--sandbox", default="docker")
    arguments.add_argument("--skip-peer", action="store_true")
    given = arguments.parse_args()
    found = measure(given.steps, given.long, given.sandbox, skip_peer=given.skip_peer)
    print(json.dumps(found) if given.json else "\n".join(f"{name:40} {value:10.3f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
