"""What is said where there is no Docker daemon, and when it dies under a program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandboxes.test_boxes import containers, until

PROXY = """
import os, socket, sys, threading
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(50)
print(flush=True)
while True:
    near, _ = server.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect("/var/run/docker.sock")
    for pair in ((near, far), (far, near)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""

DIES = """
import os, signal, sys, threading
from sandboxes.docker import DockerSandbox
from sandboxes.types import Needs, SandboxUnavailable
SLEEP = "import time\\ndef f(): time.sleep(30)"
sandbox = DockerSandbox(label="dead daemon")
sandbox.warm(Needs())
threading.Timer(0.5, os.kill, (int(sys.argv[1]), signal.SIGKILL)).start()
for seconds in (30, 5):
    try:
        with sandbox.start({"program.py": SLEEP}, Needs(seconds=seconds), {}) as program:
            program.call("f")
    except SandboxUnavailable as error:
        print(error)
sandbox.close()
"""


@pytest.mark.docker
def test_a_daemon_that_dies_is_said_aloud(tmp_path: Path) -> None:
    place = str(tmp_path / "docker.sock")
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen([sys.executable, "-c", PROXY, place], stdout=subprocess.PIPE) as proxy:
        assert proxy.stdout is not None
        proxy.stdout.readline()
        env = {**os.environ, "DOCKER_HOST": f"unix://{place}"}
        command = [sys.executable, "-c", DIES, str(proxy.pid)]
        ran = subprocess.run(command, env=env, cwd=root, capture_output=True, text=True, check=True)
    during, after = ran.stdout.splitlines()
    assert during.startswith("the Docker daemon went away; start it")
    assert after.startswith("no Docker daemon answers")
    assert until(lambda: not containers("dead daemon"), 8)


NO_DAEMON = """
from sandboxes.choose import choose
from sandboxes.types import SandboxUnavailable
print(*choose("auto"))
try:
    choose("docker")
except SandboxUnavailable as error:
    print(error)
"""


def test_without_a_daemon() -> None:
    env = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    root = Path(__file__).parent.parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", NO_DAEMON], env=env, cwd=root, capture_output=True, text=True, check=True
    )
    auto, asked = ran.stdout.splitlines()
    assert "ProcessSandbox" in auto
    assert "attacks are not" in auto
    assert asked.startswith("no Docker daemon answers")
    assert "process sandbox" in asked
