"""Rows coming out, as the words of the archive. Whoever made the file, nothing of it is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

from sqlalchemy import Connection, Engine, Select, bindparam, select

from archive import blobs
from archive.database import explained
from archive.tables import blobs as contents
from archive.tables import candidates, evaluations, steps, verifications
from archive.types import ArchiveError, Begun, Candidate, Entry, Judged, Verification
from evaluators.types import Evaluation, Outcome
from sandboxes.types import Data, Usage

T = TypeVar("T")
LAST = 2**63 - 1
"""The largest number that SQLite has."""
OUTCOMES = frozenset(get_args(Outcome))

STARTED = steps.select().where(steps.c.step == bindparam("step"))
CANDIDATE = (
    select(candidates, contents.c.data)
    .join(contents, contents.c.hash == candidates.c.files)
    .where(candidates.c.step == bindparam("step"))
)
COUNTING = (
    evaluations.select()
    .where(
        evaluations.c.step == bindparam("step"),
        evaluations.c.digest == bindparam("digest"),
        evaluations.c.stage == "score",
        evaluations.c.repeat == 0,
    )
    .order_by(evaluations.c.value.is_(None), evaluations.c.attempt.desc())
    .limit(1)
)
_FOLDED = ("step", "outcome", "value", "measures", "digest", "stage", "repeat")
JUDGED = (
    select(evaluations.c.id, steps.c.island, *(evaluations.c[name] for name in _FOLDED))
    .join(steps, steps.c.step == evaluations.c.step)
    .where(evaluations.c.id > bindparam("after"))
    .order_by(evaluations.c.id)
)


@contextmanager
def connected(engine: Engine, path: Path) -> Iterator[Connection]:
    """A connection to read with. Raises ArchiveError for every failure of SQLite inside."""
    with explained(path), engine.connect() as connection:
        yield connection


@dataclass(frozen=True)
class Reading:
    """One file to read from, by any number of threads."""

    path: Path
    engine: Engine

    def __call__(self, read: Callable[[Connection], T]) -> T:
        """Raises ArchiveError where SQLite fails, or what it found is no sound row."""
        with connected(self.engine, self.path) as connection:
            return read(connection)

    def entry(self, step: int, digest: str) -> Entry:
        """The entry of a step, without its artifact. Raises ArchiveError where it is not judged under the digest."""
        return self(lambda connection: entry(connection, step, digest))


def entry(connection: Connection, step: int, digest: str, *, artifact: bool = False) -> Entry:
    """A step's candidate with what became of it. Raises ArchiveError where there is none."""
    row = connection.execute(COUNTING, {"step": step, "digest": digest}).one_or_none() if 0 <= step <= LAST else None
    if row is None:
        raise ArchiveError(_absent(connection, step))
    made = candidate(connection, step)
    if made is None:
        begun = started(connection, step)
        made = Candidate(step, {}, begun[0].parents if begun else (), author="")
    return Entry(made, to_evaluation(row, kept(connection, row.artifact) if artifact else None))


def _absent(connection: Connection, step: int) -> str:
    last = connection.execute(select(steps.c.step).order_by(steps.c.step.desc()).limit(1)).scalar()
    if last is None:
        return f"there is no step {step}: the file holds none yet"
    if 0 <= step <= last and started(connection, step):
        return f"step {step} has begun, but is not judged yet"
    return f"there is no step {step}: the file holds steps from 0 to {last}"


def candidate(connection: Connection, step: int) -> Candidate | None:
    """The candidate of a step, if there is one."""
    row = connection.execute(CANDIDATE, {"step": step}).one_or_none()
    if row is None:
        return None
    files = blobs.to_files(blobs.unpacked(row.files, row.data))
    return Candidate(row.step, files, numbers(row.parents), row.author, row.note, row.key)


def started(connection: Connection, step: int) -> tuple[Begun, str] | None:
    """A step that has begun, and the scoring digest of that time."""
    row = connection.execute(STARTED, {"step": step}).one_or_none()
    return None if row is None else (Begun(row.step, row.island, numbers(row.parents), row.saw), row.digest)


def content(connection: Connection, name: str) -> bytes | None:
    """The bytes with this hash, where they are kept."""
    data = connection.execute(select(contents.c.data).where(contents.c.hash == name)).scalar()
    return None if data is None else blobs.unpacked(name, data)


def kept(connection: Connection, name: str | None) -> Data:
    """An artifact, or None where there is none or only its hash was kept."""
    found = content(connection, name) if name is not None else None
    return None if found is None else blobs.to_artifact(found)


def history(connection: Connection, step: int) -> list[Evaluation]:
    """Every evaluation of a step, oldest first, without artifacts."""
    query = evaluations.select().where(evaluations.c.step == step).order_by(evaluations.c.id)
    return [to_evaluation(row, None) for row in connection.execute(query)]


def verification(connection: Connection, step: int, digest: str) -> Verification | None:
    """The last champion check of a step."""
    v = verifications.c
    query = verifications.select().where(v.step == step, v.digest == digest).order_by(v.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else Verification(row.step, row.value, row.reason)


def quarantined(connection: Connection, digest: str, until: int | None = None) -> tuple[frozenset[int], int]:
    """The steps whose last check under a digest failed, by verification rows up to `until`; the last such row."""
    v = verifications.c
    query: Select[Any] = select(v.id, v.step, v.value, v.digest).order_by(v.id)
    failed: dict[int, bool] = {}
    last = 0
    for row in connection.execute(query if until is None else query.where(v.id <= until)):
        last = row.id
        if row.digest == digest:
            failed[row.step] = row.value is None
    return frozenset(step for step, out in failed.items() if out), last


def judged(connection: Connection, after: int) -> Iterator[Judged]:
    """The evaluation rows after a row, in ascending order, as the fold takes them."""
    found_rows = connection.execute(JUDGED, {"after": after})
    for row, island, step, outcome, value, measures, digest, stage, repeat in found_rows:
        found = {} if value is None else to_measures(measures)
        yield Judged(row, step, island, outcome, value, found, digest, stage, repeat)


def to_evaluation(row: Any, artifact: Data) -> Evaluation:
    """Raises ArchiveError where the row is not sound."""
    if row.outcome not in OUTCOMES:
        raise ArchiveError(f"step {row.step} ended as {row.outcome!r}, which this elites does not know")
    return Evaluation(
        cast(Outcome, row.outcome),
        row.value,
        to_measures(row.measures),
        row.feedback,
        artifact,
        Usage(row.wall_seconds, row.cpu_seconds, row.peak_mb),
        row.sandbox,
        row.isolation,
        row.image,
        row.digest,
        row.stage,
        row.repeat,
        bool(row.retry),
    )


def to_measures(text: str) -> dict[str, float]:
    """Raises ArchiveError where the text is no JSON object of numbers."""
    found = _json(text)
    if not isinstance(found, dict) or not all(map(_number, found.values())):
        raise ArchiveError(f"measures are a JSON object of numbers, not {text[:80]!r}: the file is not sound")
    return found


def _number(value: object) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 2**1023)


def numbers(text: str) -> tuple[int, ...]:
    """Raises ArchiveError where the text is no JSON list of whole numbers."""
    found = _json(text)
    if not isinstance(found, list) or not all(type(value) is int for value in found):
        raise ArchiveError(f"parents are a JSON list of steps, not {text[:80]!r}: the file is not sound")
    return tuple(found)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{text[:80]!r} is no JSON: the file is not sound") from error
