"""Whether a file is what a run leaves: its invariants hold, and every selection can be recomputed from its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from archive import blobs
from archive.fold import View
from archive.reading import entry, judged, numbers, quarantined
from archive.samplers import drawing
from archive.store import Archive
from archive.tables import VERSION, schema, steps
from archive.types import ArchiveError, Sampler

MOST = 20
"""Findings of one kind that are told one by one."""


@dataclass(frozen=True)
class Finding:
    """Something that no run leaves behind."""

    kind: str
    """`integrity`, `schema`, `rows`, `content` or `selection`."""
    text: str


@dataclass(frozen=True)
class Report:
    """What a check found."""

    steps: int
    """Steps that have begun."""
    selections: int
    """Selections that were recomputed."""
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not self.findings


QUESTIONS = (
    (
        "begun and judged, but never given a candidate: step {}",
        "SELECT DISTINCT e.step FROM evaluations e LEFT JOIN candidates c ON c.step = e.step "
        "WHERE c.step IS NULL AND e.outcome NOT IN ('reply', 'unproposed')",
    ),
    (
        "an evaluation of a step that never began: step {}",
        "SELECT DISTINCT step FROM evaluations WHERE step NOT IN (SELECT step FROM steps)",
    ),
    (
        "a value without `scored`, or `scored` without a value: evaluation row {}",
        "SELECT id FROM evaluations "
        "WHERE (outcome = 'scored') <> (value IS NOT NULL) OR abs(value) > 1.7976931348623157e308",
    ),
    (
        "scored more than once under one digest: step {}",
        "SELECT step FROM evaluations WHERE stage = 'score' AND value IS NOT NULL "
        "GROUP BY step, digest, repeat HAVING count(*) > 1",
    ),
    (
        "an attempt is missing: step {}",
        "SELECT step FROM evaluations GROUP BY step, digest, stage, repeat HAVING max(attempt) <> count(*) - 1",
    ),
    (
        "evaluation rows are missing before row {}",
        "SELECT id FROM (SELECT id, lag(id, 1, 0) OVER (ORDER BY id) AS before FROM evaluations) "
        "WHERE id <> before + 1",
    ),
    (
        "a call was settled but never reserved: step {}, call {}",
        "SELECT s.step, s.number FROM settlements s LEFT JOIN calls c ON c.step = s.step AND c.number = s.number "
        "WHERE c.step IS NULL",
    ),
    (
        "step {} saw evaluation row {}, which there is not",
        "SELECT step, saw FROM steps WHERE saw > (SELECT coalesce(max(id), 0) FROM evaluations)",
    ),
    (
        "step {} began before what it saw: its own evaluation row is not after row {}",
        "SELECT s.step, s.saw FROM steps s JOIN evaluations e ON e.step = s.step WHERE e.id <= s.saw",
    ),
)


def check_run(archive: Archive, sampler: Sampler, last: int | None = None) -> Report:
    """Check a whole file; a writer may go on meanwhile.

    Args:
        sampler: the one that the run was made with (`run.sampler` names it).
        last: where given, every step from 0 to this one must be finished exactly once.

    Raises:
        ArchiveError: the file cannot be read at all.
    """
    with archive.connected() as connection:
        connection.exec_driver_sql("BEGIN")  # one moment of the file
        begun = int(connection.execute(text("SELECT count(*) FROM steps")).scalar_one())
        findings = [*_integrity(connection), *_schema(connection), *_rows(connection, archive.digest, last)]
        findings += _contents(connection)
        seen, wrong = _selections(archive, connection, sampler)
    return Report(begun, seen, (*findings, *wrong))


def _integrity(connection: Connection) -> Iterator[Finding]:
    for (said,) in connection.exec_driver_sql(f"PRAGMA integrity_check({MOST})"):
        if said != "ok":
            yield Finding("integrity", str(said))
    for table, row, other, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(MOST):
        yield Finding("integrity", f"row {row} of {table} points to a row of {other} that is not there")


def _schema(connection: Connection) -> Iterator[Finding]:
    """Missing or altered tables and triggers: then rows may have been changed."""
    if connection.exec_driver_sql("PRAGMA user_version").scalar() != VERSION:
        return
    found = {
        " ".join(sql.split())
        for (sql,) in connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
    }
    for statement in schema():
        if " ".join(statement.split()) not in found:
            yield Finding("schema", f"missing or altered: {' '.join(statement.split())[:100]}")


def _rows(connection: Connection, digest: str, last: int | None) -> Iterator[Finding]:
    for said, query in QUESTIONS:
        for row in connection.exec_driver_sql(query).fetchmany(MOST):
            yield Finding("rows", said.format(*row))
    if last is None:
        return
    ended = text("SELECT DISTINCT step FROM evaluations WHERE digest = :digest AND stage = 'score' AND repeat = 0")
    done = {step for (step,) in connection.execute(ended, {"digest": digest})}
    missing = [step for step in range(last + 1) if step not in done]
    beyond = sorted(step for step in done if step > last)
    for step in missing[:MOST]:
        yield Finding("rows", f"step {step} is not finished")
    for step in beyond[:MOST]:
        yield Finding("rows", f"step {step} is beyond the last step, {last}")


def _contents(connection: Connection) -> Iterator[Finding]:
    """Content that does not have its hash."""
    for name, size, data in connection.exec_driver_sql("SELECT hash, size, data FROM blobs"):
        try:
            whole = blobs.unpacked(name, data)
        except ArchiveError as error:
            yield Finding("content", str(error))
            continue
        if len(whole) != size:
            yield Finding("content", f"content {name[:12]} has {len(whole)} bytes, not {size}")


def _selections(archive: Archive, connection: Connection, sampler: Sampler) -> tuple[int, list[Finding]]:
    """Draw again for every step, each time from the rows that it saw."""
    replay = Replay(archive, connection)
    wrong: list[Finding] = []
    checked = 0
    order = (steps.c.verification, steps.c.saw, steps.c.digest, steps.c.step)
    for row in connection.execute(steps.select().where(steps.c.step > 0).order_by(*order)).all():
        try:
            replay.to(row.saw, row.digest, row.verification)
            island, selection = drawing(archive.run, sampler, row.step)(replay.view)
            stored = (row.island, numbers(row.parents))
        except (ArchiveError, ValueError) as error:
            wrong.append(Finding("selection", f"step {row.step} cannot be drawn again: {error}"))
            break
        drawn = (island, (selection.parent.step, *(entry.step for entry in selection.inspirations)))
        checked += 1
        if drawn != stored and len(wrong) < MOST:
            wrong.append(
                Finding("selection", f"step {row.step} has island and parents {stored}; its rows give {drawn}")
            )
    return checked, wrong


class Replay:
    """A view that goes through the file once more, row by row."""

    def __init__(self, archive: Archive, connection: Connection) -> None:
        self.view = View(archive.run, lambda step, digest: entry(connection, step, digest))
        self._connection = connection
        self._out: dict[tuple[str, int], frozenset[int]] = {}
        self._rows = judged(connection, 0)
        self._next = next(self._rows, None)

    def to(self, saw: int, digest: str, verification: int) -> None:
        """Have the view as it was when these rows had been seen. Raises ArchiveError where a row is not sound."""
        key = (digest, verification)
        if key not in self._out:
            self._out[key], _ = quarantined(self._connection, digest, verification)
        if (digest, self._out[key]) != (self.view.digest, self.view.quarantined) or saw < self.view.last:
            self.view.reset(digest, self._out[key], verification)
            self._rows = judged(self._connection, 0)
            self._next = next(self._rows, None)
        while self._next is not None and self._next.row <= saw:
            self.view.apply(self._next)
            self._next = next(self._rows, None)
