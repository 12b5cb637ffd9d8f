"""Boxes: they are reused, replaced, lost and left, and nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from sandboxes.choose import choose
from sandboxes.docker import LABEL, DockerSandbox
from sandboxes.process import ProcessSandbox
from sandboxes.types import BoxLost, Needs, ProgramError, Sandbox, SandboxUnavailable

NEEDS = Needs(memory_mb=256)
WHERE = {
    "program.py": "import os\ncalls = 0\ndef f():\n    global calls\n    calls += 1\n    return [os.getuid(), calls]\n"
}
SLEEP = {"program.py": "import time\ndef f(): time.sleep(30)\n"}


def containers(label: str) -> list[str]:
    client = docker.from_env()
    try:
        found = client.containers.list(all=True, filters={"label": f"{LABEL}={label}"}, ignore_removed=True)
        return [str(container.id) for container in found]
    finally:
        client.close()


def harnesses(parent: int) -> list[int]:
    """Processes below `parent` that run a harness."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {parent}
    while more := {pid for pid, above in parents.items() if above in found} - found:
        found |= more
    return [pid for pid in found - {parent} if _command(pid).find("sandboxes.jail") >= 0]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    made: Sandbox = ProcessSandbox() if request.param == "process" else DockerSandbox(label="boxes")
    yield made
    made.close()


def test_programs_run_at_the_same_time(sandbox: Sandbox) -> None:
    results: list[object] = []

    def work() -> None:
        for _ in range(5):
            with sandbox.start(WHERE, NEEDS, {}) as program:
                results.append(program.call("f"))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    users = {result[0] for result in results if isinstance(result, list)}
    assert len(results) == 15
    assert all(isinstance(result, list) and result[1] == 1 for result in results)
    assert len(users) == (15 if os.getuid() == 0 else 1)


def test_an_unused_program_costs_no_box(sandbox: Sandbox) -> None:
    with sandbox.start(WHERE, NEEDS, {}) as program:
        assert program.usage().wall_seconds == 0
    with sandbox.start(WHERE, NEEDS, {}) as program:
        program.call("f")
    with pytest.raises(BoxLost, match="ended"):
        program.call("f")


def test_a_closed_sandbox_says_so(sandbox: Sandbox) -> None:
    sandbox.warm(NEEDS)
    sandbox.close()
    sandbox.close()
    with pytest.raises(SandboxUnavailable, match="closed"), sandbox.start(WHERE, NEEDS, {}) as program:
        program.call("f")


def test_what_cannot_be_given_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxUnavailable, match="not installed here: pip install"):
        sandbox.warm(Needs(packages=("no-such-package-anywhere",)))
    with pytest.raises(SandboxUnavailable, match="services"):
        sandbox.start(WHERE, NEEDS, {"ask": lambda: 1})
    with pytest.raises(SandboxUnavailable, match="GPU"):
        sandbox.start(WHERE, Needs(gpus=1), {})


def test_boxes_are_replaced() -> None:
    sandbox = ProcessSandbox(programs_per_box=2)
    try:
        seen = set()
        for _ in range(5):
            with sandbox.start(WHERE, NEEDS, {}) as program:
                program.call("f")
                seen |= set(harnesses(os.getpid()))
        assert len(seen) >= 4
    finally:
        sandbox.close()
    assert harnesses(os.getpid()) == []


def test_a_lost_process_is_not_the_program_s_fault() -> None:
    sandbox = ProcessSandbox()
    try:
        sandbox.warm(NEEDS)
        threading.Timer(0.5, lambda: [os.kill(pid, signal.SIGKILL) for pid in harnesses(os.getpid())]).start()
        with pytest.raises(BoxLost), sandbox.start(SLEEP, NEEDS, {}) as program:
            program.call("f")
        with sandbox.start(WHERE, NEEDS, {}) as program:
            assert program.call("f") is not None
    finally:
        sandbox.close()
    assert harnesses(os.getpid()) == []


@pytest.mark.docker
def test_a_lost_container_is_not_the_program_s_fault() -> None:
    sandbox = DockerSandbox(label="lost")
    try:
        sandbox.warm(NEEDS)
        kill = ["docker", "kill", *containers("lost")]
        threading.Timer(0.5, lambda: subprocess.run(kill, check=True, capture_output=True)).start()
        with pytest.raises(BoxLost, match="container"), sandbox.start(SLEEP, NEEDS, {}) as program:
            program.call("f")
        with sandbox.start(WHERE, NEEDS, {}) as program:
            assert program.call("f") is not None
    finally:
        sandbox.close()
    assert containers("lost") == []


@pytest.mark.docker
def test_a_harness_that_does_not_answer_is_killed_with_its_container() -> None:
    sandbox = DockerSandbox(label="stopped")
    try:
        sandbox.warm(NEEDS)
        subprocess.run(["docker", "pause", *containers("stopped")], check=True, capture_output=True)
        slow = Needs(seconds=0.5, memory_mb=256)
        with sandbox.start(WHERE, slow, {}) as program, pytest.raises(ProgramError, match=r"0\.5 s"):
            program.call("f")
        with sandbox.start(WHERE, NEEDS, {}) as program:
            assert program.call("f") is not None
    finally:
        sandbox.close()
    assert containers("stopped") == []


@pytest.mark.docker
def test_several_processes_together_stay_below_the_limit() -> None:
    source = (
        "import os, numpy as np\ndef f():\n    for _ in range(3):\n        if os.fork() == 0: break\n"
        "    kept = []\n    while True: kept.append(np.ones(10 ** 6))\n"
    )
    sandbox = DockerSandbox(label="oom")
    try:
        needs = Needs(memory_mb=128, processes=4, seconds=20)
        for files in ({"program.py": source}, WHERE):
            with sandbox.start(files, needs, {}) as program:
                if files is WHERE:
                    assert program.call("f") is not None
                else:
                    with pytest.raises(ProgramError, match="memory"):
                        program.call("f")
    finally:
        sandbox.close()


HOLDER = """
import json, sys, threading, time
from sandboxes.choose import choose
from sandboxes.types import Needs
sandbox, why = choose(sys.argv[1], "reuse", label="dead client")
sandbox.warm(Needs())
program = sandbox.start({"program.py": "import time\\ndef f(): time.sleep(60)"}, Needs(seconds=60), {}).__enter__()
threading.Thread(target=program.call, args=("f",)).start()
time.sleep(0.5)
print(json.dumps(why), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("name", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_a_dead_client_leaves_nothing(name: str) -> None:
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen([sys.executable, "-c", HOLDER, name], stdout=subprocess.PIPE, cwd=root) as client:
        assert client.stdout is not None
        assert json.loads(client.stdout.readline())
        held = harnesses(client.pid) if name == "process" else containers("dead client")
        assert held
        client.kill()
    if name == "docker":
        assert until(lambda: not containers("dead client"), 8)
    else:
        assert until(lambda: not any(_command(int(pid)) for pid in held), 5)


def test_choose_says_what_it_takes() -> None:
    sandbox, why = choose("process", "strict")
    assert (sandbox.name, sandbox.isolation) == ("process", "strict")
    assert "attacks are not" in why
    with pytest.raises(ValueError, match="there are auto, docker and process"):
        choose("podman")  # type: ignore[arg-type]
