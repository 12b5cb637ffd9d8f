"""Real Ray workers: what they see, and what is lost when one dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluators.digest import scoring_digest
from evaluators.engines.fakes import FakeSandbox
from evaluators.engines.guardian import descendants
from evaluators.engines.onray import OnRay
from evaluators.types import Job
from problems.loading import load, reference

FOLDER = '''"""Say where you are."""
import os, sys, time
from evaluators.types import Score
from problems.types import Axis, Problem

def score(program, rng):
    time.sleep(program.call("nap"))
    seen = {"cwd": os.getcwd(), "path": list(sys.path), "keys": [k for k in os.environ if k.endswith("_API_KEY")],
            "pid": os.getpid(), "hostile": "elites_hostile" in sys.modules}
    return Score(1.0, artifact=seen)

PROBLEM = Problem("where", __doc__, {"program.py": "def nap(): return 0"}, score)
'''


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with folders named like ours, and one with a problem; a key in the environment was taken before."""
    home = tmp_path_factory.mktemp("home")
    for name in ("sandboxes", "evaluators", "problems"):
        (home / name).mkdir()
        (home / name / "__init__.py").write_text(
            "import sys\nsys.modules['elites_hostile'] = sys\nraise RuntimeError('hostile')"
        )
    (home / "task").mkdir()
    (home / "task" / "problem.py").write_text(FOLDER)
    before = Path.cwd()
    os.chdir(home)
    yield home
    os.chdir(before)


@pytest.fixture(scope="module")
def engine(hostile: Path) -> Iterator[OnRay]:
    engine = OnRay(2, FakeSandbox, load)
    engine.warm(reference(str(hostile / "task")))
    yield engine
    engine.close()


def job(hostile: Path, nap: float = 0.0) -> Job:
    where = reference(str(hostile / "task"))
    return Job(where, scoring_digest(load(where)), {"program.py": f"def nap(): return {nap}"})


def test_workers_see_neither_the_working_directory_nor_a_key(engine: OnRay, hostile: Path) -> None:
    ended = engine.evaluate(job(hostile))
    assert ended.outcome == "scored", ended.feedback
    seen = ended.artifact
    assert isinstance(seen, dict)
    assert str(hostile) not in [seen["cwd"], *seen["path"]]
    assert "" not in seen["path"]
    assert (seen["keys"], seen["hostile"]) == ([], False)


def test_an_evaluation_whose_worker_dies_is_run_again(engine: OnRay, hostile: Path) -> None:
    before = engine.evaluate(job(hostile))
    assert isinstance(before.artifact, dict)
    found = []
    threads = [threading.Thread(target=lambda: found.append(engine.evaluate(job(hostile, 1.5)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    os.kill(int(before.artifact["pid"]), signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert [ended.outcome for ended in found] == ["scored", "scored"]
    assert before.artifact["pid"] not in [ended.artifact["pid"] for ended in found]


def listening(pids: set[int]) -> list[str]:
    """The addresses, as in /proc/net/tcp, at which these processes wait for others to connect."""
    sockets = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                sockets.add(str(link.readlink()))
    lines = [line.split() for kind in ("tcp", "tcp6") for line in Path("/proc/net", kind).read_text().splitlines()[1:]]
    return [words[1].split(":")[0] for words in lines if words[3] == "0A" and f"socket:[{words[9]}]" in sockets]


def test_a_ray_of_ours_listens_to_this_machine_alone(engine: OnRay) -> None:
    addresses = listening(descendants(os.getpid()) | {os.getpid()})
    assert len(addresses) > 3
    assert set(addresses) <= {"0100007F", "0000000000000000FFFF00000100007F"}


CLIENT = "import ray; ray.init(address={!r}, log_to_driver=False); print(ray.get(ray.remote(num_cpus=0)(lambda: 7).remote()))"


@pytest.mark.slow
def test_a_ray_of_ours_takes_no_client_without_its_token(engine: OnRay) -> None:
    import ray

    code = CLIENT.format(ray.get_runtime_context().gcs_address)
    bare = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH_")}
    tokens = ({}, {"RAY_AUTH_TOKEN": "0" * 64}, {"RAY_AUTH_TOKEN": os.environ["RAY_AUTH_TOKEN"]})
    clients = [
        subprocess.Popen([sys.executable, "-c", code], env=bare | token | {"RAY_AUTH_MODE": "token" if token else "disabled"},
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", text=True)
        for token in tokens
    ]  # fmt: skip
    assert [client.communicate(timeout=100)[0].strip() for client in clients] == ["", "", "7"]


def alone(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: it may start another Ray, or none."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, cwd=root)


FAILING = """
from evaluators.engines.onray import OnRay
from evaluators.types import EngineError, Reference
from problems.loading import load
from sandboxes.types import SandboxUnavailable
from evaluators.engines.fakes import NoSandbox
engine = OnRay(1, NoSandbox, load, address={address!r})
try:
    engine.warm(Reference("circle_packing"))
except (EngineError, SandboxUnavailable) as error:
    engine.close()
    raise SystemExit(f"{{type(error).__name__}}: {{error}}")
"""


@pytest.mark.slow
def test_a_worker_that_cannot_run_anything_says_so() -> None:
    ended = alone(FAILING.format(address=None))
    assert (ended.returncode, ended.stderr.strip().splitlines()[-1]) == (
        1,
        "SandboxUnavailable: no daemon answers: start one",
    )


@pytest.mark.slow
def test_an_address_that_does_not_answer_is_one_clear_error() -> None:
    ended = alone(FAILING.format(address="127.0.0.1:1"))
    assert ended.returncode == 1
    assert "EngineError: Ray does not answer at 127.0.0.1:1" in ended.stderr
