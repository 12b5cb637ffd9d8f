"""The way to the Docker daemon, and what it means where none answers."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator

import docker
import requests
from docker.errors import APIError, DockerException
from docker.utils import parse_host

from sandboxes.types import SandboxUnavailable

SECONDS = 60
"""That a client waits for an answer, where nothing else is said."""
UNIX = "http+unix://"


def reach(seconds: int = SECONDS) -> docker.DockerClient:
    """A client of the daemon that the environment names. Whoever made it closes it.

    A unix socket is tried first: the library leaves its own one open where nobody listens.

    Raises:
        DockerException: no daemon answers; `meaning` says why.
    """
    address = str(parse_host(os.environ.get("DOCKER_HOST") or None))
    if address.startswith(UNIX):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
            tried.settimeout(seconds)
            try:
                tried.connect("/" + address.removeprefix(UNIX).lstrip("/"))
            except OSError as error:
                raise DockerException(str(error)) from error
    return docker.from_env(timeout=seconds)


@contextlib.contextmanager
def daemon() -> Iterator[None]:
    """Turns the faults of the Docker client into SandboxUnavailable, with what to do."""
    try:
        yield
    except APIError as error:
        raise SandboxUnavailable(f"the Docker daemon refused: {error.explanation or error}") from None
    except (requests.RequestException, DockerException) as error:
        why = meaning(error)
        forbidden = os.strerror(errno.EACCES) in why
        mend = "join its group (`usermod -aG docker $USER`)" if forbidden else "start it (`systemctl start docker`, or Docker Desktop)"
        raise SandboxUnavailable(f"no Docker daemon answers at {why}: {mend}, set DOCKER_HOST, or take --sandbox process") from None


def meaning(error: BaseException) -> str:
    """The daemon's address and why nobody answers there, in the system's own words: what lies beneath the client's exceptions."""
    why, beneath = str(error)[:200], cause(error)
    return f"{os.environ.get('DOCKER_HOST') or 'unix:///var/run/docker.sock'} ({beneath or why})"


def cause(error: BaseException) -> str:
    """What the system said first; empty where it said nothing."""
    before = error.__cause__ or error.__context__
    if before is not None and (found := cause(before)):
        return found
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror or "") if isinstance(error, OSError) else ""
