"""The image that programs run in, made from a public Python image or from the interpreter that runs us.

Its tag names what is in it, so that a change of the harness, of a package or of Python is another image.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import requests
from docker.errors import BuildError, DockerException, ImageNotFound

from sandboxes import host, packages
from sandboxes.types import Needs, SandboxUnavailable

REPOSITORY = "elites-sandbox"
HOME = "/opt/elites"
INSIDE = ("__init__", "wire", "frames", "proc", "reaper", "child", "harness")
"""The modules of ours that a box holds."""
REGISTRY_SECONDS = 10
Say = Callable[[str], None]

_HERE = Path(__file__).parent


def public_base() -> str:
    return f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def tag(needs: Needs, base: str | None) -> str:
    """The image's name; `base` None means made from the running interpreter."""
    content = hashlib.sha256()
    for part in [*(f"{name}.py" for name in INSIDE), "Dockerfile", "host.py", "image.py"]:
        content.update((_HERE / part).read_bytes())
    content.update(repr((packages.versions(needs.packages), base, base is None and sys.version)).encode())
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{REPOSITORY}:py{version}-{'host' if base is None else 'base'}-{content.hexdigest()[:16]}"


def ensure(client: docker.DockerClient, needs: Needs, say: Say) -> str:
    """Returns the tag of an image for these needs, which is built first if there is none.

    It is built on the public Python image where the daemon has that or its registry answers within 10 s, otherwise
    from the running interpreter; `say` is told which.

    Raises:
        SandboxUnavailable: it cannot be built; the text says why.
    """
    with _one_at_a_time():
        for base in (public_base(), None):
            with contextlib.suppress(ImageNotFound):
                client.images.get(name := tag(needs, base))
                return name
        if _reachable(client, public_base()):
            try:
                return build(client, needs, base=public_base(), say=say)
            except SandboxUnavailable as error:
                say(str(error))
        return build(client, needs, from_host=True, say=say)


def build(
    client: docker.DockerClient,
    needs: Needs,
    base: str | None = None,
    from_host: bool = False,
    say: Say = lambda text: None,
) -> str:
    """Makes the image and returns its tag.

    Args:
        base: the image to build on; by default the public Python image of this interpreter's version.
        from_host: make it from the running interpreter instead, without any registry.

    Raises:
        SandboxUnavailable: the daemon, the registry, the package index or this interpreter does not allow it.
    """
    base = None if from_host else base or public_base()
    name = tag(needs, base)
    what = ", ".join(f"{key} {value}" for key, value in packages.versions(needs.packages).items()) or "no packages"
    try:
        if base is None:
            say(f"building the sandbox image from this interpreter (Python {sys.version.split()[0]}, {what})")
            _import(client, needs, name)
        else:
            say(f"building the sandbox image on {base} ({what})")
            _build(client, needs, name, base)
    except (BuildError, DockerException, requests.RequestException) as error:
        raise SandboxUnavailable(f"the sandbox image could not be built: {error}") from None
    return name


def _reachable(client: docker.DockerClient, base: str) -> bool:
    """Has the daemon this image, or can it get it? Asked with a limit of its own."""
    try:
        client.images.get(base)
    except ImageNotFound:
        pass
    else:
        return True
    hurried = docker.from_env(timeout=REGISTRY_SECONDS)
    try:
        hurried.images.get_registry_data(base)
    except requests.RequestException:
        return False
    finally:
        hurried.close()
    return True


def _build(client: docker.DockerClient, needs: Needs, name: str, base: str) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        tar.add(_HERE / "Dockerfile", "Dockerfile")
        for module in INSIDE:
            tar.add(_HERE / f"{module}.py", f"sandboxes/{module}.py")
    context.seek(0)
    wanted = " ".join(f"{key}=={value}" for key, value in packages.versions(needs.packages).items())
    client.images.build(
        fileobj=context, custom_context=True, tag=name, rm=True, buildargs={"BASE": base, "PACKAGES": wanted}
    )


def _import(client: docker.DockerClient, needs: Needs, name: str) -> None:
    """Streams the root file system to the daemon, with the ENV and ENTRYPOINT lines of the Dockerfile."""
    lines = (_HERE / "Dockerfile").read_text().splitlines()
    changes = [line for line in lines if line.startswith(("ENV ", "ENTRYPOINT "))] + ["ENV PATH=/usr/local/bin"]
    ours = {f"{HOME}/sandboxes/{module}.py": _HERE / f"{module}.py" for module in INSIDE}
    with tempfile.TemporaryFile() as archive:
        host.write(archive, needs.packages, ours)
        archive.seek(0)
        repository, _, version = name.partition(":")
        answer = client.api.import_image(archive, repository=repository, tag=version, changes=changes)
    if '"error"' in answer or "sha256:" not in answer:
        raise SandboxUnavailable(f"the daemon did not import the sandbox image: {answer.strip()[-500:]}")


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """A lock among the processes of this user, so that an image is built once."""
    path = Path(tempfile.gettempdir(), f"elites-image-{os.getuid()}.lock")
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
