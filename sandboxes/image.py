"""The image that programs run in, made from a public Python image or from the interpreter that runs us.

Its tag names what is in it, so that a change of the harness, of a package or of Python is another image. Labels say
what it serves: the image built last is the one used, whatever its base, and those it supersedes are removed.
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
from typing import Any

import docker
import requests
from docker.errors import APIError, BuildError, DockerException, ImageNotFound

from sandboxes import host, packages
from sandboxes.types import Needs, SandboxUnavailable

REPOSITORY = "elites-sandbox"
HOME = "/opt/elites"
INSIDE = ("__init__", "wire", "frames", "proc", "relay", "reaper", "signals", "child", "harness")
"""The modules of ours that a box holds."""
CONTENT, SERVES = "elites.content", "elites.serves"
"""Labels: the digest of what is in the image; the digest of the installation and the packages that it is for."""
REGISTRY_SECONDS = 10
BUILD_SECONDS = 600
"""The daemon is silent while it unpacks or fetches something large."""
Say = Callable[[str], None]

_HERE = Path(__file__).parent


def public_base() -> str:
    return f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def tag(needs: Needs, base: str | None) -> str:
    """The image's name; `base` None means made from the running interpreter."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = _digest([_content(needs), base])
    return f"{REPOSITORY}:py{version}-{'host' if base is None else 'base'}-{digest}"


def _content(needs: Needs) -> str:
    parts = [*(f"{name}.py" for name in INSIDE), "Dockerfile", "host.py", "image.py"]
    return _digest([[(_HERE / part).read_bytes() for part in parts], packages.versions(needs.packages), sys.version])


def _labels(needs: Needs) -> dict[str, str]:
    return {CONTENT: _content(needs), SERVES: _digest([str(_HERE), sys.prefix, *packages.versions(needs.packages)])}


def _digest(what: list[Any]) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def find(client: docker.DockerClient, needs: Needs) -> str | None:
    """The tag of the image built last for these needs, on whatever base; None where there is none."""
    found = _labelled(client, CONTENT, _labels(needs))
    return str(max(found, key=lambda image: int(image["Created"]))["RepoTags"][0]) if found else None


def _labelled(client: docker.DockerClient, label: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    """The images with this label that have names in our repository and no others."""
    images: list[dict[str, Any]] = client.api.images(filters={"label": f"{label}={labels[label]}"})
    named = [image for image in images if image["RepoTags"]]
    return [image for image in named if all(name.startswith(f"{REPOSITORY}:") for name in image["RepoTags"])]


def ensure(client: docker.DockerClient, needs: Needs, say: Say, base: str | None = None) -> str:
    """Returns the tag of an image for these needs, which is built first if there is none.

    It is built on `base` (the public Python image) where the daemon has that or its registry answers within 10 s,
    otherwise from the running interpreter; `say` is told which, and why.

    Raises:
        SandboxUnavailable: it cannot be built; the text says why.
    """
    base = base or public_base()
    with _one_at_a_time():
        if (name := find(client, needs)) is not None:
            return name
        fault = _fault_of_base(client, base)
        if not fault:
            try:
                return _make(client, needs, base, say)
            except SandboxUnavailable as error:
                fault = str(error)
        say(f"no sandbox image on {base}: {fault}")
        return _make(client, needs, None, say)


def build(
    client: docker.DockerClient,
    needs: Needs,
    base: str | None = None,
    from_host: bool = False,
    say: Say = lambda text: None,
) -> str:
    """Makes the image, which is then the one used for these needs, and returns its tag.

    The images that it supersedes are removed: those of this installation for the same packages that no container uses.

    Args:
        base: the image to build on; by default the public Python image of this interpreter's version.
        from_host: make it from the running interpreter instead, without any registry.

    Raises:
        SandboxUnavailable: the daemon, the registry, the package index or this interpreter does not allow it.
    """
    with _one_at_a_time():
        return _make(client, needs, None if from_host else base or public_base(), say)


def _make(client: docker.DockerClient, needs: Needs, base: str | None, say: Say) -> str:
    name = tag(needs, base)
    what = ", ".join(f"{key} {value}" for key, value in packages.versions(needs.packages).items()) or "no packages"
    try:
        replaced = _id(client, name)
        with _client(client, BUILD_SECONDS) as patient:
            if base is None:
                say(f"building the sandbox image from this interpreter (Python {sys.version.split()[0]}, {what})")
                _import(patient, needs, name)
            else:
                say(f"building the sandbox image on {base} ({what})")
                _build(patient, needs, name, base)
        _remove_superseded(client, needs, name, replaced)
    except BuildError as error:
        log = "".join(str(line.get("stream", "")) for line in error.build_log)
        raise SandboxUnavailable(f"the sandbox image could not be built: {error}\n{log.strip()[-1000:]}") from None
    except (DockerException, requests.RequestException) as error:
        raise SandboxUnavailable(f"the sandbox image could not be built: {error}") from None
    return name


def _id(client: docker.DockerClient, name: str) -> str | None:
    try:
        return client.images.get(name).id
    except ImageNotFound:
        return None


def _remove_superseded(client: docker.DockerClient, needs: Needs, name: str, replaced: str | None) -> None:
    """`replaced` is the image that had the name before. The daemon keeps what a container uses."""
    old = {str(image["Id"]) for image in _labelled(client, SERVES, _labels(needs))}
    with contextlib.suppress(ImageNotFound):
        if replaced is not None and not client.images.get(replaced).tags:
            old.add(replaced)
    for image in old - {_id(client, name)}:
        with contextlib.suppress(APIError):
            client.api.remove_image(image)


def _fault_of_base(client: docker.DockerClient, base: str) -> str:
    """Why the daemon neither has this image nor can get it; empty where it can. Asked with a limit of its own."""
    if _id(client, base) is not None:
        return ""
    try:
        with _client(client, REGISTRY_SECONDS) as hurried:
            hurried.images.get_registry_data(base)
    except requests.Timeout:
        return f"the registry did not answer within {REGISTRY_SECONDS} s"
    except (DockerException, requests.RequestException) as error:
        return str(getattr(error, "explanation", None) or error)[:500]
    return ""


@contextlib.contextmanager
def _client(like: docker.DockerClient, seconds: int) -> Iterator[docker.DockerClient]:
    """Another client that waits so long for each answer. It need not ask for the version, which takes an answer too."""
    client = docker.from_env(version=like.api.api_version, timeout=seconds)
    try:
        yield client
    finally:
        client.close()


def _build(client: docker.DockerClient, needs: Needs, name: str, base: str) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        tar.add(_HERE / "Dockerfile", "Dockerfile")
        for module in INSIDE:
            tar.add(_HERE / f"{module}.py", f"sandboxes/{module}.py")
    context.seek(0)
    wanted = " ".join(f"{key}=={value}" for key, value in packages.versions(needs.packages).items())
    arguments = {"BASE": base, "PACKAGES": wanted, "MODULES": " ".join(packages.modules(needs.packages))}
    labels = _labels(needs)
    image, _ = client.images.build(
        fileobj=context, custom_context=True, tag=name, rm=True, forcerm=True, buildargs=arguments, labels=labels
    )
    if volumes := image.attrs["Config"].get("Volumes"):
        client.images.remove(name)
        raise SandboxUnavailable(
            f"{base} declares volumes ({', '.join(volumes)}), where a program could leave files for the next; "
            "take a base without"
        )


def _import(client: docker.DockerClient, needs: Needs, name: str) -> None:
    """Streams the root file system to the daemon, with the ENV and ENTRYPOINT lines of the Dockerfile."""
    lines = (_HERE / "Dockerfile").read_text().splitlines()
    changes = [line for line in lines if line.startswith(("ENV ", "ENTRYPOINT "))] + ["ENV PATH=/usr/local/bin"]
    changes += [f"LABEL {label}={value}" for label, value in _labels(needs).items()]
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
