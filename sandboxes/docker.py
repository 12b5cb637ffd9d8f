"""Programs in hardened containers: the default."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from contextlib import AbstractContextManager
from typing import Any, Literal

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import LogConfig

from sandboxes import image, packages
from sandboxes.box import MIB, START_SECONDS, Box, scratch_mb, settings
from sandboxes.daemon import daemon, reach
from sandboxes.image import Say
from sandboxes.pool import Pool
from sandboxes.process import check_needs
from sandboxes.program import BoxedProgram, running
from sandboxes.types import BoxLost, Data, Files, Needs, SandboxError, SandboxUnavailable, Services

LABEL = "elites.run"
HARNESS_MB = 128
"""Memory of the harness itself, on top of the program's."""
HARNESS_PIDS = 16
STREAM = struct.Struct(">BxxxI")
"""The daemon puts this head before each piece: stream number and length."""
GONE_SECONDS = 10.0


SITE = ("/opt/elites/site",)
SCRATCH = ("/box", "/dev/shm")  # noqa: S108


class DockerLink:
    """The attached streams of a container whose process 1 is a harness."""

    def __init__(self, client: docker.DockerClient, container: Container, stream: Any) -> None:
        self._client = client
        self.container = container
        self._stream = stream
        self._socket: socket.socket = getattr(stream, "_sock", stream)
        self._raw = bytearray()
        self._number, self._left = 0, 0
        """The stream of the piece that is coming, and its bytes still to come."""
        self._said = bytearray()
        self._ending = threading.Lock()
        self._gone = False

    def send(self, data: bytes, deadline: float) -> None:
        self._socket.settimeout(_left(deadline))
        self._socket.sendall(data)

    def receive(self, deadline: float) -> bytes:
        """What the harness wrote on its standard output; its standard error is kept for `lost`."""
        while True:
            out = self._demultiplexed()
            if out:
                return out
            self._socket.settimeout(_left(deadline))
            try:
                data = self._socket.recv(1 << 18)
            except TimeoutError:
                raise
            except OSError:
                data = b""
            if not data:
                return b""
            self._raw += data

    def _demultiplexed(self) -> bytes:
        """What has come on the standard output, of pieces that need not be whole: a head may promise 4 GB."""
        out = bytearray()
        while self._raw:
            if self._left == 0:
                if len(self._raw) < STREAM.size:
                    break
                self._number, self._left = STREAM.unpack_from(self._raw)
                del self._raw[: STREAM.size]
            part = self._raw[: self._left]
            (out if self._number == 1 else self._said).extend(part)
            del self._raw[: self._left]
            self._left -= len(part)
        del self._said[:-4000]
        return bytes(out)

    def end(self) -> None:
        """Removes the container by force, and waits until the daemon knows nothing of it any more."""
        with self._ending:
            if self._gone:
                return
            self._gone = True
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(requests.RequestException, DockerException):
                self._remove()
            with contextlib.suppress(OSError, ValueError):  # it shares the socket
                self._stream._response.close()
            self._stream.close()

    def _remove(self) -> None:
        until = time.monotonic() + GONE_SECONDS
        with contextlib.suppress(NotFound):
            while time.monotonic() < until:
                with contextlib.suppress(APIError):
                    self.container.remove(force=True)
                self.container.reload()
                time.sleep(0.02)

    def lost(self) -> SandboxError:
        said = self._said.decode(errors="replace").strip()
        with contextlib.suppress(SandboxUnavailable):
            with daemon():
                self._client.ping()
            return BoxLost(f"the container {self.container.short_id} has gone" + (f": {said}" if said else ""))
        return SandboxUnavailable("the Docker daemon went away; start it (`systemctl start docker`) and run again")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def hardening(needs: Needs) -> dict[str, Any]:
    """What a container may not do. PID 1 keeps three capabilities, to change the user and to kill."""
    memory = (needs.memory_mb + HARNESS_MB) * MIB
    return {
        "user": "0:0",
        "network_mode": "none",
        "read_only": True,
        "tmpfs": {"/box": f"size={scratch_mb(needs)}m,nr_inodes=4096,mode=1777,noexec,nosuid,nodev"},
        "shm_size": MIB,
        "sysctls": {"kernel.shm_rmid_forced": "1"},
        "cap_drop": ["ALL"],
        "cap_add": ["SETUID", "SETGID", "KILL"],
        "security_opt": ["no-new-privileges"],
        "mem_limit": memory,
        "memswap_limit": memory,
        "pids_limit": needs.processes + HARNESS_PIDS,
        "nano_cpus": int(needs.cpus * 1e9),
        "ipc_mode": "private",
        "log_config": LogConfig(type="none"),
        "auto_remove": True,
        "stdin_open": True,
        "use_config_proxy": False,  # proxies of ~/.docker/config.json, which may hold passwords
    }


class DockerSandbox:
    """A `Sandbox` of containers, each with a harness that forks for the programs.

    Args:
        isolation: "reuse" or "strict".
        label: names the run in the containers' label `elites.run`.
        programs_per_box: after so many programs a container is replaced.
        say: is told when an image is built.
    """

    name = "docker"

    def __init__(
        self,
        isolation: Literal["reuse", "strict"] = "reuse",
        label: str = "",
        programs_per_box: int = 500,
        say: Say = lambda text: None,
    ) -> None:
        self.isolation: str = isolation
        self._label = label
        self._say = say
        self._lock = threading.Lock()
        self._client: docker.DockerClient | None = None
        self._images: dict[tuple[str, ...], str] = {}
        self._pool = Pool(self._make, programs_per_box)

    def image(self, needs: Needs) -> str:
        """The image's tag. It is built first if there is none.

        Raises:
            SandboxUnavailable: no daemon answers, or the image cannot be built.
        """
        with self._lock, daemon():
            if self._client is None:
                self._client = reach()
            if needs.packages not in self._images:
                self._images[needs.packages] = image.ensure(self._client, needs, self._say)
            return self._images[needs.packages]

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
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _create(self, client: docker.DockerClient, needs: Needs, told: str) -> Container:
        options = {"labels": {LABEL: self._label}, **hardening(needs)}
        try:
            return client.containers.create(self.image(needs), [told], **options)
        except ImageNotFound:  # removed meanwhile, as superseded for instance
            with self._lock:
                self._images.pop(needs.packages, None)
            return client.containers.create(self.image(needs), [told], **options)

    def _make(self, needs: Needs) -> Box:
        self.image(needs)
        told = json.dumps(settings(needs, packages.modules(needs.packages), SITE, SCRATCH))
        client = self._client
        if client is None:
            raise SandboxUnavailable("this sandbox is closed; make another")
        with daemon():
            container = self._create(client, needs, told)
            stream = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        box = Box(DockerLink(client, container, stream))
        try:
            with daemon():
                container.start()
            box.wait_ready(START_SECONDS)
        except SandboxError as error:
            box.end()
            raise SandboxUnavailable(f"no container can be started: {error}") from None
        return box
