"""Programs in processes of this machine: for where there is no Docker daemon. It stops accidents, not attackers.

The harness runs in namespaces of its own (files, processes, network, IPC) where the kernel lets us make them: as root,
or as a user where unprivileged user namespaces are allowed. Elsewhere there are process groups, limits, and a filter that
refuses signals to others.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

from sandboxes import packages
from sandboxes.box import START_SECONDS, Box, settings
from sandboxes.pool import Pool
from sandboxes.program import BoxedProgram, running
from sandboxes.types import (
    BoxLost,
    Data,
    Files,
    Needs,
    SandboxError,
    SandboxUnavailable,
    Services,
)

CODE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from sandboxes.jail import main; main()"
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class ProcessLink:
    """A socket to a harness that is our child."""

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket, folder: str) -> None:
        self.process = process
        self._connection = connection
        self._folder = folder
        self._ended = threading.Lock()

    def send(self, data: bytes, deadline: float) -> None:
        self._connection.settimeout(_left(deadline))
        self._connection.sendall(data)

    def receive(self, deadline: float) -> bytes:
        self._connection.settimeout(_left(deadline))
        try:
            return self._connection.recv(1 << 18)
        except TimeoutError:
            raise
        except OSError:
            return b""

    def end(self) -> None:
        """Closes the harness's input, at which it kills everything and exits; kills it when it does not."""
        with self._ended:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            try:
                self.process.wait(1.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self._connection.close()
            if self.process.stderr is not None:
                self.process.stderr.close()
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)

    def lost(self) -> SandboxError:
        return BoxLost(f"the process of the box has gone{self.said()}")

    def said(self) -> str:
        """What the harness wrote on its standard error, if it is dead."""
        with contextlib.suppress(subprocess.TimeoutExpired, OSError, ValueError):
            self.process.wait(1.0)
            if self.process.stderr is not None:
                return ": " + self.process.stderr.read().decode(errors="replace").strip()[-2000:]
        return ""


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class ProcessSandbox:
    """A `Sandbox` of processes. `isolation` is "reuse" or "strict"; `namespaces` False is for tests."""

    name = "process"

    def __init__(
        self,
        isolation: Literal["reuse", "strict"] = "reuse",
        programs_per_box: int = 500,
        namespaces: bool = True,
    ) -> None:
        self.isolation: str = isolation
        self._namespaces = namespaces and sys.platform.startswith("linux")
        self._layers = ""
        self._pool = Pool(self._make, programs_per_box)

    def image(self, needs: Needs) -> str:
        """The interpreter and the layers in force, such as `host python 3.11.7 (namespaces, own user)`.

        Raises:
            SandboxUnavailable: no harness starts here.
        """
        if not self._layers:
            self.warm(needs)
        installed = ", ".join(f"{name} {version}" for name, version in packages.versions(needs.packages).items())
        return f"host python {platform.python_version()}, {installed or 'no packages'} ({self._layers})"

    def start(
        self, files: Files, needs: Needs, services: Services, start: Data = None
    ) -> AbstractContextManager[BoxedProgram]:
        check_needs(needs, services)
        single = self.isolation == "strict" or needs.fresh
        return running(BoxedProgram(self._pool, files, needs, single, start))

    def warm(self, needs: Needs) -> None:
        self._pool.warm(needs)

    def close(self) -> None:
        self._pool.close()

    def _make(self, needs: Needs) -> Box:
        if self._namespaces:
            try:
                return self._box(needs, namespaces=True)
            except SandboxUnavailable:
                self._namespaces = False
        return self._box(needs, namespaces=False)

    def _box(self, needs: Needs, namespaces: bool) -> Box:
        folder = "" if namespaces else tempfile.mkdtemp(prefix="elites-box-")
        link = _launch(json.dumps(_settings(needs, folder, namespaces)), folder)
        box = Box(link)
        try:
            box.wait_ready(START_SECONDS)
        except SandboxError as error:
            box.end()
            raise SandboxUnavailable(f"no program can be run in a process here: {error}") from None
        layers = ["namespaces" if box.facts["pid"] == 1 else "process group, no namespaces"]
        layers += ["own user"] * box.facts["own_user"] + ["no signals to others"] * box.facts["own_signals"]
        self._layers = ", ".join(layers)
        return box


def check_needs(needs: Needs, services: Services) -> None:
    """Raises SandboxUnavailable for what no sandbox here can give yet."""
    if services:
        raise SandboxUnavailable(f"programs cannot call services yet; this one asks for {', '.join(sorted(services))}")
    if needs.gpus:
        raise SandboxUnavailable(f"programs cannot use GPUs here; this one asks for {needs.gpus:g}")


def _settings(needs: Needs, folder: str, namespaces: bool) -> dict[str, Any]:
    modules = packages.modules(needs.packages)
    roots = [str(root) for root in packages.roots(needs.packages)]
    if namespaces:
        told = settings(needs, modules, ("/opt/elites/site",), ("/box", "/dev/shm"))  # noqa: S108
        prefixes = list(dict.fromkeys([sys.base_prefix, sys.base_exec_prefix]))
        return told | {"namespaces": True, "roots": roots, "prefixes": prefixes, "scratch_mb": told["file_bytes"] >> 20}
    os.chmod(folder, 0o1777)  # noqa: S103  programs have users of their own
    sites = tuple(dict.fromkeys(str(Path(root).parent) for root in roots))
    return settings(needs, modules, sites, (folder,)) | {"namespaces": False}


def _launch(told: str, folder: str) -> ProcessLink:
    ours, theirs = socket.socketpair()
    interpreter: str = getattr(sys, "_base_executable", sys.executable) or sys.executable
    code = [interpreter, "-S", "-s", "-P", "-c", CODE, str(Path(__file__).parent.parent), told]
    with theirs:
        try:
            process = subprocess.Popen(
                code,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                cwd="/",
                close_fds=True,
            )
        except OSError as error:
            ours.close()
            raise SandboxUnavailable(f"no process can be started: {error}") from None
    return ProcessLink(process, ours, folder)
