"""Which sandbox: Docker where a daemon answers, otherwise processes, never silently."""

from __future__ import annotations

from typing import Literal

from sandboxes.daemon import daemon, reach
from sandboxes.docker import DockerSandbox
from sandboxes.image import Say
from sandboxes.process import ProcessSandbox
from sandboxes.types import Sandbox, SandboxUnavailable

Name = Literal["auto", "docker", "process"]
WEAKER = "programs run in processes of this machine: accidents are contained, attacks are not"
Isolation = Literal["reuse", "strict"]


def choose(
    name: Name = "auto", isolation: Isolation = "reuse", label: str = "", say: Say = lambda text: None
) -> tuple[Sandbox, str]:
    """Returns a sandbox, which the caller closes, and a sentence that says which and why.

    Args:
        name: "auto" takes Docker where a daemon answers, otherwise processes.
        label: names the run on its containers.
        say: is told when an image is built.

    Raises:
        SandboxUnavailable: "docker" was asked for and no daemon answers; the text says what to do.
        ValueError: there is no such sandbox.
    """
    if name not in ("auto", "docker", "process"):
        raise ValueError(f"no sandbox is called {name!r}; there are auto, docker and process")
    if isolation not in ("reuse", "strict"):
        raise ValueError(f"no isolation is called {isolation!r}; there are reuse and strict")
    if name == "process":
        return ProcessSandbox(isolation), WEAKER
    try:
        version = docker_version()
    except SandboxUnavailable as error:
        if name == "docker":
            raise
        return ProcessSandbox(isolation), f"{error}. Until then {WEAKER}"
    return DockerSandbox(isolation, label, say=say), f"programs run in Docker containers (daemon {version})"


def docker_version() -> str:
    """Raises SandboxUnavailable when no daemon answers."""
    with daemon():
        client = reach(10)
        try:
            return str(client.version()["Version"])
        finally:
            client.close()
