"""The packages that a problem names, as they are installed here: versions, import names, files."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from sandboxes.types import SandboxUnavailable


def closure(packages: tuple[str, ...]) -> dict[str, metadata.Distribution]:
    """The packages and everything they require, by normalised name.

    Raises:
        SandboxUnavailable: one of `packages` is not installed here, so that its version is unknown.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = [(name, True) for name in packages]
    while waiting:
        name, named = waiting.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if named:
                raise SandboxUnavailable(
                    f"the problem needs the package {name!r}, which is not installed here: pip install {name}"
                ) from None
            continue
        required = [text for text in found[name].requires or () if "extra ==" not in text]
        waiting += [(re.split(r"[^\w.-]", text, maxsplit=1)[0], False) for text in required]
    return dict(sorted(found.items()))


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {name: distribution.version for name, distribution in closure(packages).items()}


def modules(packages: tuple[str, ...]) -> tuple[str, ...]:
    """What is imported before a program starts: the top-level packages of the distributions named."""
    found = closure(packages)
    names = []
    for package in packages:
        distribution = found[re.sub(r"[-_.]+", "-", package).lower()]
        tops = [
            file.parts[0]
            for file in distribution.files or ()
            if len(file.parts) == 2 and file.name == "__init__.py" and file.parts[0].isidentifier()
        ]
        names += sorted(tops) or [package.replace("-", "_")]
    return tuple(names)


def roots(packages: tuple[str, ...]) -> tuple[Path, ...]:
    """The folders and files at the top of site-packages that make up the packages, each below its own name."""
    found: set[Path] = set()
    for distribution in closure(packages).values():
        for file in distribution.files or ():
            if ".." not in file.parts and file.parts[0] != "__pycache__":
                found.add(Path(str(distribution.locate_file(file.parts[0]))))
    return tuple(sorted(path for path in found if path.exists()))
