"""How long one small numpy program takes in each sandbox: start, one call, end.

`python benchmarks/sandbox_latency.py [--json] [--programs N]`. Docker figures are left out where no daemon answers.
Keys: `reuse_ms` (Docker, warm boxes), `process_ms`, `docker_run_ms` (Docker, a fresh container for each program, none
made ahead), each with its 95th percentile as `…_p95`, and `array_ms` (a 100,000-float array there and back in Docker).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from sandboxes.docker import DockerSandbox
from sandboxes.process import ProcessSandbox
from sandboxes.types import Needs, Sandbox, SandboxUnavailable

FILES = {"program.py": "import numpy as np\ndef f(n):\n    return np.arange(n) * 2.0\ndef same(x): return x\n"}
NEEDS = Needs()


def timed(work: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1e3)
    return took


def one(sandbox: Sandbox) -> None:
    with sandbox.start(FILES, NEEDS, {}) as program:
        program.call("f", 3)


def cold() -> None:
    sandbox = DockerSandbox(label="latency")
    try:
        one(sandbox)
    finally:
        sandbox.close()


def there_and_back(sandbox: Sandbox) -> list[float]:
    array = np.random.default_rng(0).random(100_000)
    with sandbox.start(FILES, NEEDS, {}) as program:
        return timed(lambda: program.call("same", array), 20)


def measured(programs: int) -> dict[str, float]:
    took: dict[str, list[float]] = {}
    for key, sandbox in (("reuse_ms", DockerSandbox(label="latency")), ("process_ms", ProcessSandbox())):
        try:
            sandbox.warm(NEEDS)
            took[key] = timed(lambda box=sandbox: one(box), programs)  # type: ignore[misc]
            if key == "reuse_ms":
                took["array_ms"] = there_and_back(sandbox)
        except SandboxUnavailable:
            continue
        finally:
            sandbox.close()
    if "reuse_ms" in took:
        took["docker_run_ms"] = timed(cold, max(3, programs // 40))
    result = {key: round(statistics.median(values), 2) for key, values in took.items()}
    p95 = {f"{key}_p95": round(float(np.percentile(values, 95)), 2) for key, values in took.items()}
    return result | p95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--programs", type=int, default=200)
    options = parser.parse_args()
    figures = measured(options.programs)
    if options.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:20} {value:10.2f}")


if __name__ == "__main__":
    main()
