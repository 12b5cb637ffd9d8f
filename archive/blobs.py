"""Content by its hash: files, prompts, replies and artifacts as bounded, compressed bytes."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from archive.types import ArchiveError
from sandboxes.types import Data, Files
from sandboxes.wire import WireError, decode, encode

LIMIT = 64 * 2**20
"""The largest content that is kept, in bytes before compression."""


@dataclass(frozen=True)
class Blob:
    """Content, packed."""

    hash: str
    size: int
    data: bytes


def packed(content: bytes) -> Blob:
    """The content as a blob. Raises ArchiveError where it is over the limit."""
    if len(content) > LIMIT:
        raise ArchiveError(f"{len(content) / 2**20:.1f} MiB were to be kept; at most {LIMIT // 2**20} MiB can be")
    return Blob(digest(content), len(content), zlib.compress(content, 6 if len(content) < 2**20 else 1))


def unpacked(name: str, data: bytes) -> bytes:
    """The content of a blob that anybody may have written. Raises ArchiveError where its hash is not `name`."""
    machine = zlib.decompressobj()
    try:
        content = machine.decompress(data, LIMIT)
    except zlib.error as error:
        raise ArchiveError(f"content {name[:12]} is damaged: {error}") from error
    if not machine.eof or digest(content) != name:
        raise ArchiveError(f"content {name[:12]} is damaged or was changed: its bytes do not have that hash")
    return content


def digest(content: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


def from_files(files: Files) -> Blob:
    """Files as canonical JSON."""
    return packed(json.dumps(dict(files), sort_keys=True, separators=(",", ":")).encode())


def to_files(content: bytes) -> Files:
    """Raises ArchiveError where the content is no mapping of texts."""
    try:
        files = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"a candidate's files are not JSON: {error}") from error
    if not isinstance(files, Mapping) or not all(isinstance(text, str) for text in files.values()):
        raise ArchiveError("a candidate's files are not a mapping from paths to texts")
    return dict(files)


def from_text(text: str) -> Blob:
    """Text, half surrogate pairs included."""
    return packed(text.encode("utf-8", "surrogatepass"))


def to_text(content: bytes) -> str:
    """Raises ArchiveError where the content is no text."""
    try:
        return content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise ArchiveError(f"a prompt or reply is not text: {error}") from error


def from_artifact(artifact: Data) -> bytes:
    """Raises ArchiveError where it is not data."""
    try:
        return encode(artifact, 2**32 - 1)
    except WireError as error:
        raise ArchiveError(f"the artifact cannot be kept: {error}") from error


def to_artifact(content: bytes) -> Data:
    """Raises ArchiveError where the content is not data."""
    try:
        return decode(content)
    except WireError as error:
        raise ArchiveError(f"an artifact is not data: {error}") from error
