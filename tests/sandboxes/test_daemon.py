"""What is said where there is no Docker daemon, and when it dies under a program."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from docker.errors import DockerException

from sandboxes.daemon import daemon
from sandboxes.types import SandboxUnavailable
from tests.sandboxes.test_boxes import containers, until

PROXY = """
import os, socket, sys, threading
def copy(a, b):
    while data := a.recv(65536):
        if sys.argv[2:] and sys.argv[2].encode() in data:
            threading.Event().wait()
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
    assert asked.startswith("no Docker daemon answers at unix:///nowhere/docker.sock (No such file or directory): start it")
    assert asked.endswith("or take --sandbox process")


@pytest.mark.parametrize(("there", "why"), [(False, "No such file or directory"), (True, "Connection refused")])
def test_a_refused_connection_leaves_no_socket_open(tmp_path: Path, there: bool, why: str) -> None:
    place = tmp_path / "docker.sock"
    if there:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(place))
    env = {**os.environ, "DOCKER_HOST": f"unix://{place}"}
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", NO_DAEMON]
    ran = subprocess.run(command, env=env, cwd=root, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert f"({why})" in ran.stdout


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("tcp://127.0.0.1:9", "(Connection refused)"),
        ("somewhere", "(Invalid bind address format: port is required: somewhere)"),
    ],
)
def test_why_no_daemon_answers_is_said_shortly(host: str, why: str) -> None:
    root = Path(__file__).parent.parent.parent
    env = {**os.environ, "DOCKER_HOST": host}
    ran = subprocess.run([sys.executable, "-c", NO_DAEMON], env=env, cwd=root, capture_output=True, text=True, check=True)
    assert f"no Docker daemon answers at {host} {why}: start it" in ran.stdout.splitlines()[1]


def test_who_may_not_use_the_daemon_is_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/docker.sock")
    with pytest.raises(SandboxUnavailable, match=r"\(Permission denied\): join its group") as told, daemon():
        raise DockerException("no") from PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    assert "start it" not in str(told.value)


HANGS = """
import time, docker
from sandboxes import image
from sandboxes.types import Needs
began = time.monotonic()
client = docker.from_env()
say = lambda text: print(round(time.monotonic() - began), text)
name = image.ensure(client, Needs(packages=("iniconfig",)), say, "elites-test-nothing:here")
client.images.remove(name)
client.close()
"""


@pytest.mark.docker
@pytest.mark.slow
def test_a_registry_that_hangs_is_left_after_ten_seconds(tmp_path: Path) -> None:
    place = str(tmp_path / "docker.sock")
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", PROXY, place, "/distribution/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as proxy:
        assert proxy.stdout is not None
        proxy.stdout.readline()
        env = {**os.environ, "DOCKER_HOST": f"unix://{place}"}
        try:
            ran = subprocess.run(
                [sys.executable, "-c", HANGS], env=env, cwd=root, capture_output=True, text=True, check=True
            )
        finally:
            proxy.kill()
    why, way = (line.split(maxsplit=1) for line in ran.stdout.splitlines())
    assert 9 <= int(why[0]) <= 11
    assert why[1] == "no sandbox image on elites-test-nothing:here: the registry did not answer within 10 s"
    assert way[1].startswith("building the sandbox image from this interpreter (Python 3.")
    assert int(way[0]) <= 11


PROXIES = """
import docker
from sandboxes.docker import DockerSandbox
from sandboxes.types import Needs
sandbox = DockerSandbox(label="proxies")
sandbox.warm(Needs())
client = docker.from_env()
for found in client.containers.list(filters={"label": "elites.run=proxies"}):
    print(*found.attrs["Config"]["Env"])
client.close()
sandbox.close()
"""


@pytest.mark.docker
def test_proxies_of_the_docker_configuration_stay_outside(tmp_path: Path) -> None:
    """The client puts them into the environment of every container; they may hold a password."""
    proxies = {"default": {"httpProxy": "http://user:password@proxy"}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    env = {**os.environ, "DOCKER_CONFIG": str(tmp_path)}
    root = Path(__file__).parent.parent.parent
    ran = subprocess.run([sys.executable, "-c", PROXIES], env=env, cwd=root, capture_output=True, text=True, check=True)
    assert "PYTHONHASHSEED=0" in ran.stdout
    assert "password" not in ran.stdout
