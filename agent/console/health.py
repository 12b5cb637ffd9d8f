"""`elites doctor`: what works on this machine, and how to mend the rest. Nothing is started or changed."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from agent.console.text import say, say_json
from sandboxes.types import Needs

if TYPE_CHECKING:
    from docker import DockerClient

ROOM = 1e9
"""Bytes of free disk below which a run may end early."""

MODEL_KEY = re.compile(r"_API_KEY$|^HF_TOKEN$|^AWS_ACCESS_KEY_ID$|^AZURE_API_KEY$")
"""Names of variables that may hold the key of a model."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    ok: bool
    found: str
    mend: str = ""
    """What to do where it is not ok."""


def doctor(keys: Sequence[str], as_json: bool) -> None:
    """Look at everything and say it. `keys`: the names of the variables that hold one."""
    findings = list(examined(keys))
    if as_json:
        say_json({"findings": [asdict(finding) for finding in findings]})
        return
    for finding in findings:
        say(f"{'ok  ' if finding.ok else 'no  '}  {finding.what}: {finding.found}")
        if not finding.ok:
            say(f"      {finding.mend}")


def examined(keys: Sequence[str]) -> Iterator[Finding]:
    """One finding after another."""
    version = platform.python_version()
    yield Finding("Python", sys.version_info >= (3, 11), version, "elites needs Python 3.11 or newer")
    yield from docker_findings()
    yield cgroups()
    yield package("ray", "pip install ray, or run with --engine local")
    yield package("litellm", "only for providers without an OpenAI-compatible address: pip install 'elites[litellm]'")
    found = ", ".join(name for name in keys if MODEL_KEY.search(name))
    yield Finding(
        "model keys", found != "", found or "none", "set one, as in OPENAI_API_KEY; without, mutation proposes"
    )
    for what, place in (("disk here", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        yield room(what, place)


def docker_findings() -> Iterator[Finding]:
    """The daemon and the image, by the client that runs use."""
    from docker.errors import DockerException

    from sandboxes.daemon import meaning, reach

    try:
        client = reach(5)
    except DockerException as error:
        yield Finding("Docker daemon", False, f"none at {meaning(error)}", _DAEMON)
        return
    try:
        yield Finding("Docker daemon", True, f"version {client.version()['Version']}")
        yield image(client)
    except (DockerException, OSError) as error:
        yield Finding("Docker daemon", False, f"none at {meaning(error)}", _DAEMON)
    finally:
        client.close()


def image(client: DockerClient) -> Finding:
    """The image of programs that need numpy."""
    from sandboxes.image import find

    name = find(client, Needs())
    if name is not None:
        return Finding("sandbox image", True, name)
    return Finding("sandbox image", False, "not built", "the first run builds it; or: elites sandbox build")


def cgroups() -> Finding:
    """Which control groups limit memory and processes."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return Finding("control groups", True, "version 2")
    if (root / "memory").exists():
        return Finding("control groups", True, "version 1")
    return Finding("control groups", False, "none found", "limits on memory then hold for each process, not for a box")


def package(name: str, mend: str) -> Finding:
    """Whether a distribution is installed."""
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", mend)


def room(what: str, place: Path) -> Finding:
    """Free disk space, and the right to write."""
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free in {place}"
    if not os.access(place, os.W_OK):
        return Finding(what, False, f"{place} cannot be written", "name a file elsewhere with --file")
    return Finding(what, free >= ROOM, found, "make room: a run stops where a file cannot grow")


_DAEMON = (
    "install and start Docker (Debian: apt-get install docker.io; systemctl start docker), and see that you may use it "
    "(usermod -aG docker $USER). Without it programs run in the weaker `process` sandbox"
)
