"""The shipped Dockerfile, built without a registry: its image keeps all that the one made from the interpreter keeps.

The base is this interpreter with pip, a static busybox as its shell, and a folder of wheels.
"""

from __future__ import annotations

import io
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module, metadata, util
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from sandboxes import host, image
from sandboxes.conformance import CHECKS, Make
from sandboxes.docker import DockerSandbox
from sandboxes.types import Data, Files, Needs, Program, SandboxUnavailable, Services

pytestmark = [pytest.mark.docker, pytest.mark.slow]
PACKAGES = ("numpy", "packaging")
"""Other packages than elsewhere, so that these images are nobody's but this test's."""
NEEDS = Needs(packages=PACKAGES, memory_mb=256)
BASE = "elites-test-base"
TOOLS = ("sh", "mkdir", "chmod")
LOOK = """
import ctypes, os, sys, numpy, packaging

def look():
    said = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    kept = [line.split() for line in open("/proc/self/mounts")]
    return {
        "python": sys.version,
        "flags": [sys.flags.no_site, sys.flags.no_user_site, sys.flags.safe_path, sys.flags.hash_randomization],
        "from": [module.__file__.rsplit("/", 2)[0] for module in (numpy, packaging)],
        "numpy": numpy.__version__,
        "uid": [os.getuid() == os.geteuid() > 65536, os.getgid() == os.getuid(), os.getgroups()],
        "rights": [said[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs")],
        "harness": os.getppid(),
        "environment": sorted(os.environ),
        "mounts": sorted(["ro" in kind.split(","), place] for _, place, _, kind, *_ in kept if place in ("/", "/box")),
        "writable": [path for path in ("/", "/tmp", "/opt/elites", "/opt/elites/site", "/etc") if os.access(path, 2)],
        "harness readable": os.access("/opt/elites/sandboxes/harness.py", 4),
    }
"""


class WithPackages:
    """A `Sandbox` for the checks, whose programs need these packages whatever they say."""

    name = "docker"
    isolation = "reuse"

    def __init__(self, inner: DockerSandbox) -> None:
        self._inner = inner

    def image(self, needs: Needs) -> str:
        return self._inner.image(replace(needs, packages=PACKAGES))

    def start(
        self, files: Files, needs: Needs, services: Services, start: Data = None
    ) -> AbstractContextManager[Program]:
        return self._inner.start(files, replace(needs, packages=PACKAGES), services, start)

    def warm(self, needs: Needs) -> None:
        self._inner.warm(replace(needs, packages=PACKAGES))

    def close(self) -> None:
        self._inner.close()


def sandbox() -> WithPackages:
    return WithPackages(DockerSandbox(label="dockerfile"))


def wheel(name: str, folder: Path) -> Path:
    """The wheel that an installed distribution came from, packed again."""
    distribution = metadata.distribution(name)
    kind = str(distribution.read_text("WHEEL")).partition("Tag: ")[2].split()[0]
    path = folder / f"{name}-{distribution.version}-{kind}.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for file in distribution.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                packed.write(str(distribution.locate_file(file)), str(file))
    return path


def pip(folder: Path) -> dict[str, Path]:
    """The files of the pip that comes with Python, by their places in the base."""
    found = util.find_spec("ensurepip")
    bundled = sorted(Path(str(found.origin)).parent.glob("_bundled/pip-*.whl")) if found else []
    if not bundled:
        pytest.skip("a base image is made with the pip of `ensurepip`, which this Python has not: install python3-venv")
    zipfile.ZipFile(bundled[0]).extractall(folder)
    site = sysconfig.get_path("purelib", vars={"base": sys.base_prefix})
    return {f"{site}/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    made = docker.from_env()
    yield made
    made.close()


@pytest.fixture(scope="module")
def base(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("a base image is made with a static busybox: apt-get install busybox-static")
    wheels = tmp_path_factory.mktemp("wheels")
    files = {f"/wheels/{path.name}": path for path in (wheel(name, wheels) for name in PACKAGES)}
    files |= {f"/bin/{tool}": Path(busybox) for tool in TOOLS} | pip(tmp_path_factory.mktemp("pip"))
    linked = import_module("numpy._core._multiarray_umath").__file__
    files["/linked.so"] = Path(str(linked))  # so that what numpy is linked with is there, as it is in public images
    changes = ["ENV PATH=/usr/local/bin:/bin PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels SECRET=42", "USER 1000"]
    with tempfile.TemporaryFile() as archive:
        host.write(archive, (), files)
        archive.seek(0)
        client.api.import_image(archive, repository=BASE, tag="latest", changes=changes)
    yield BASE
    client.images.remove(f"{BASE}:latest", force=True)


@pytest.fixture(scope="module")
def built(client: docker.DockerClient, base: str) -> Iterator[str]:
    said: list[str] = []
    name = image.build(client, NEEDS, base=base, say=said.append)
    assert len(said) == 1
    assert said[0].startswith(f"building the sandbox image on {base} (numpy")
    label = {"label": f"{image.SERVES}={client.images.get(name).labels[image.SERVES]}"}
    yield name
    for leftover in client.images.list(filters=label):
        client.images.remove(str(leftover.id), force=True)


def looked() -> Data:
    made = sandbox()
    try:
        with made.start({"program.py": LOOK}, NEEDS, {}) as program:
            return program.call("look")
    finally:
        made.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(check: Callable[[Make], None], built: str) -> None:
    made = sandbox()
    assert made.image(NEEDS) == built
    made.close()
    check(sandbox)


def test_same_as_the_image_of_the_host(client: docker.DockerClient, built: str) -> None:
    on_base = looked()
    settings = client.images.get(built).attrs["Config"]
    from_host = image.build(client, NEEDS, from_host=True)
    assert image.find(client, NEEDS) == from_host
    assert on_base == looked()
    assert isinstance(on_base, dict)
    assert on_base["from"] == ["/opt/elites/site"] * 2
    assert on_base["flags"] == [1, 1, True, 0]
    assert on_base["writable"] == []
    assert on_base["uid"] == [True, True, []]
    assert on_base["harness"] == 1
    nothing = "0" * 16
    assert on_base["rights"] == [nothing, nothing, on_base["rights"][2], nothing, "1"]
    assert on_base["environment"] == ["MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    assert on_base["mounts"] == [[False, "/box"], [True, "/"]]
    of_host = client.images.get(from_host).attrs["Config"]
    assert settings["Entrypoint"] == of_host["Entrypoint"]
    assert set(of_host["Env"]) - set(settings["Env"]) == {"PATH=/usr/local/bin"}


def test_superseded_images_are_removed(client: docker.DockerClient, base: str, built: str) -> None:
    """Unless a container uses them or they have another name; and never an image that is not ours."""
    on_base = client.images.get(image.build(client, NEEDS, base=base))
    used = client.containers.create(built)
    assert image.build(client, NEEDS, from_host=True) == image.find(client, NEEDS)
    assert client.images.get(built).id == on_base.id
    used.remove()
    from_host = client.images.get(image.build(client, NEEDS, from_host=True))
    with pytest.raises(ImageNotFound):
        client.images.get(str(on_base.id))
    from_host.tag("elites-test-kept")
    image.build(client, NEEDS, from_host=True)
    assert client.images.get("elites-test-kept").id == from_host.id
    client.images.remove("elites-test-kept")
    label = {"label": f"{image.SERVES}={from_host.labels[image.SERVES]}"}
    assert [found.tags for found in client.images.list(filters=label)] == [[image.find(client, NEEDS)]]
    assert client.images.get(base).id


def test_bases_that_do_not_serve(client: docker.DockerClient, base: str) -> None:
    nothing = Needs(packages=())
    text = f"FROM {base}\nVOLUME /data\n".encode()
    client.images.build(fileobj=io.BytesIO(text), tag=f"{BASE}:volume", rm=True)
    try:
        with pytest.raises(SandboxUnavailable, match=r"declares volumes \(/data\), where a program could leave files"):
            image.build(client, nothing, base=f"{BASE}:volume")
        with pytest.raises(ImageNotFound):
            client.images.get(image.tag(nothing, f"{BASE}:volume"))
    finally:
        client.images.remove(f"{BASE}:volume")
    with pytest.raises(SandboxUnavailable, match="could not be built"):
        image.build(client, NEEDS, base="elites-test-nothing:here")


def test_an_image_that_is_removed_is_built_again(client: docker.DockerClient) -> None:
    needs = Needs(packages=("iniconfig",), memory_mb=256)
    said: list[str] = []
    made = DockerSandbox(label="removed", say=said.append)
    try:
        name = made.image(needs)
        client.images.remove(name)
        with made.start({"program.py": "import iniconfig\ndef f(): return 7\n"}, needs, {}) as program:
            assert program.call("f") == 7
        assert made.image(needs) == name
        assert sum(text.startswith("building the sandbox image") for text in said) == 2
    finally:
        made.close()
        client.images.remove(name)
