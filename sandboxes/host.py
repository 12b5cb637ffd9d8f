"""A root file system made of the running interpreter: for where no registry can be reached.

It holds the interpreter with its standard library, the packages of the problem, the shared libraries that these name,
and the harness; no shell, nothing setuid, every file 0644 or 0755 and root's. Works for interpreters of pyenv, uv,
conda and the system, and from within a virtual environment.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sandboxes import packages
from sandboxes.types import SandboxUnavailable

SKIPPED = {"test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"}
SKIPPED |= {"site-packages", "dist-packages"}
SKIPPED_STARTS = ("config-", "_tkinter", "libpython3", "_testcapi", "_testinternalcapi", "_testbuffer", "_testclinic")
USERS = b"root:x:0:0::/:/nowhere\n"
EMPTY = ("tmp", "proc", "sys", "dev", "etc", "box")
_CACHE = f".{sys.implementation.cache_tag}.pyc"


def write(target: IO[bytes], needed: tuple[str, ...], ours: dict[str, Path]) -> None:
    """Writes the tar archive: the packages `needed` at /opt/elites/site, `ours` at their paths.

    Raises:
        SandboxUnavailable: this is not Linux, or the shared libraries cannot be found.
    """
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable(
            "an image can be made from the running interpreter on Linux only; let Docker reach a registry"
        )
    files = dict(_interpreter())
    for root in packages.roots(needed):
        files |= _below(root, f"opt/elites/site/{root.name}")
    files |= {name.lstrip("/"): path for name, path in ours.items()}
    files |= _shared_libraries(files)
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _folders(tar, files)
        for name, path in sorted(files.items()):
            _add(tar, name, path)
        _write(tar, "etc/passwd", USERS)
        link = tarfile.TarInfo("usr/local/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, str(_executable())
        tar.addfile(link)


def _executable() -> Path:
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def _interpreter() -> Iterator[tuple[str, Path]]:
    yield str(_executable())[1:], _executable()
    paths = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
    for folder in {paths["stdlib"], paths["platstdlib"]}:
        yield from _below(Path(folder), folder[1:]).items()


def _below(root: Path, name: str) -> dict[str, Path]:
    """The regular files of a folder, links followed, by their names in the archive."""
    if root.is_file():
        return {name: root}
    found = {}
    for folder, subfolders, files in os.walk(root, followlinks=True):
        subfolders[:] = [item for item in subfolders if item not in SKIPPED and not item.startswith(SKIPPED_STARTS)]
        inside = name / Path(folder).relative_to(root)
        for file in files:
            compiled_for_another = file.endswith(".pyc") and not file.endswith(_CACHE)
            if not compiled_for_another and not file.startswith(SKIPPED_STARTS) and Path(folder, file).is_file():
                found[str(inside / file)] = Path(folder, file)
    return found


def _shared_libraries(files: dict[str, Path]) -> dict[str, Path]:
    """What the interpreter and the extension modules are linked with, at the places where they were found here."""
    ldd = shutil.which("ldd")
    if ldd is None:
        raise SandboxUnavailable("`ldd` is needed to make an image from the running interpreter; install it (libc-bin)")
    linked = [str(path) for name, path in files.items() if ".so" in path.name or path == _executable()]
    listed = ""
    for at in range(0, len(linked), 50):
        listed += subprocess.run([ldd, *linked[at : at + 50]], capture_output=True, text=True, check=False).stdout
    present = {str(path.resolve()) for path in files.values()}
    found = {}
    for line in listed.splitlines():
        words = line.split()
        place = words[2] if "=>" in words and len(words) > 2 else words[0] if words else ""
        if place.startswith("/") and not place.endswith(":") and os.path.realpath(place) not in present:
            found[os.path.normpath(place)[1:]] = Path(place)
    if Path("/etc/ld.so.cache").exists():
        found["etc/ld.so.cache"] = Path("/etc/ld.so.cache")
    return found


def _folders(tar: tarfile.TarFile, files: dict[str, Path]) -> None:
    names = {str(parent) for name in files for parent in Path(name).parents} | set(EMPTY) | {"usr/local/bin"}
    names |= {str(parent) for name in list(names) for parent in Path(name).parents}
    for name in sorted(names - {"."}):
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == "box" else 0o755
        tar.addfile(info)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    info = tarfile.TarInfo(name)
    state = path.stat()
    info.size, info.mtime = state.st_size, int(state.st_mtime)
    info.mode = 0o755 if state.st_mode & 0o111 else 0o644
    with path.open("rb") as file:
        tar.addfile(info, file)


def _write(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    tar.addfile(info, io.BytesIO(content))
