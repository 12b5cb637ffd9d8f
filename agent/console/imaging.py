"""`elites sandbox build`."""

from __future__ import annotations

from collections.abc import Sequence

from docker.errors import DockerException

from agent.console.text import say, warn
from sandboxes import image
from sandboxes.daemon import meaning, reach
from sandboxes.types import Needs, SandboxUnavailable


def build(from_host: bool, base: str | None, packages: Sequence[str]) -> None:
    """Build the image for programs that need these packages, and print its name.

    Raises:
        SandboxUnavailable: no daemon answers, or the image cannot be built.
    """
    if from_host and base is not None:
        raise SandboxUnavailable("--from-host makes the image without a base; take one of --from-host and --base")
    try:
        client = reach()
    except DockerException as error:
        raise SandboxUnavailable(f"no Docker daemon answers at {meaning(error)}: `elites doctor` says how to mend that") from error
    try:
        say(image.build(client, Needs(packages=tuple(packages)), base, from_host, warn))
    finally:
        client.close()
