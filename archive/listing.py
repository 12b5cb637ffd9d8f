"""Walks over many rows: what is unfinished, listings, lineages. Nothing here holds the whole file in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import Connection, and_, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from archive.inserts import UNJUDGED
from archive.reading import Reading, entry, numbers
from archive.tables import candidates, evaluations, steps
from archive.types import ArchiveError, Entry, Row

PAGE = 1000
"""Rows read at a time, so that no read stays open while the caller works."""


def ends(reading: Reading, digest: str) -> Iterator[tuple[int, str]]:
    """Each step judged under a digest, with its outcome; ascending. What is committed meanwhile may be missed."""
    for step, rows in groupby(_attempts(reading, digest), key=lambda row: row[0]):
        outcomes = [outcome for _, _, outcome in rows]
        yield step, "scored" if "scored" in outcomes else outcomes[-1]


def _attempts(reading: Reading, digest: str) -> Iterator[tuple[int, int, str]]:
    page = _page(reading, digest, (-1, -1))
    while page:
        yield from page
        page = _page(reading, digest, page[-1][:2])


def _page(reading: Reading, digest: str, after: tuple[int, int]) -> list[tuple[int, int, str]]:
    e = evaluations.c
    query = select(e.step, e.attempt, e.outcome).where(e.digest == digest, e.stage == "score", e.repeat == 0)
    later = query.where(tuple_(e.step, e.attempt) > after).order_by(e.step, e.attempt).limit(PAGE)
    return reading(lambda connection: [(step, attempt, end) for step, attempt, end in connection.execute(later)])


def unfinished(reading: Reading, digest: str, last: int, retry: str | None) -> Iterator[int]:
    """The steps from 0 up to and with `last` that have no end yet, or end as `retry`, ascending."""
    step = 0
    for done, outcome in ends(reading, digest):
        yield from range(step, min(done, last + 1))
        if done <= last and outcome == retry:
            yield done
        step = done + 1
        if step > last:
            return
    yield from range(step, last + 1)


def unscored(reading: Reading, old: str, new: str) -> Iterator[int]:
    """The steps that a scorer judged under the old digest and none has under the new one, ascending."""
    done = ends(reading, new)
    latest = next(done, None)
    for step, outcome in ends(reading, old):
        while latest is not None and latest[0] < step:
            latest = next(done, None)
        if outcome not in UNJUDGED and (latest is None or latest[0] != step):
            yield step


def rows(connection: Connection, digest: str, order: str, limit: int | None, maximize: bool) -> list[Row]:
    """Steps for a listing. Raises ArchiveError for an order that there is not."""
    e, later = evaluations.c, aliased(evaluations)
    counting = and_(e.step == steps.c.step, e.digest == digest, e.stage == "score", e.repeat == 0)
    same = and_(later.c.step == e.step, later.c.digest == digest, later.c.stage == "score", later.c.repeat == 0)
    newer = select(later.c.id).where(same, later.c.attempt > e.attempt).exists()
    query = (
        select(steps.c.step, steps.c.island, e.outcome, e.value, candidates.c.author, steps.c.parents, e.wall_seconds)
        .add_columns(candidates.c.parents)
        .join_from(steps, evaluations, counting, isouter=True)
        .join(candidates, candidates.c.step == steps.c.step, isouter=True)
        .where(or_(e.id.is_(None), ~newer))
        .limit(limit)
    )
    if order == "newest":
        query = query.order_by(steps.c.step.desc())
    elif order == "best":
        query = query.where(e.value.is_not(None)).order_by(e.value.desc() if maximize else e.value, e.id)
    else:
        raise ArchiveError(f"rows are ordered by 'newest' or 'best', not {order!r}")
    return [
        Row(step, island, outcome, value, author or "", numbers(own or drawn), seconds or 0.0)
        for step, island, outcome, value, author, drawn, seconds, own in connection.execute(query)
    ]


def lineage(connection: Connection, step: int, digest: str) -> list[Entry]:
    """From the seed down to a step, by first parents. Raises ArchiveError where one is missing or its own ancestor."""
    line, seen = [entry(connection, step, digest)], {step}
    while parents := line[-1].candidate.parents:
        if parents[0] in seen:
            raise ArchiveError(f"step {parents[0]} is its own ancestor: the file is not sound")
        seen.add(parents[0])
        line.append(entry(connection, parents[0], digest))
    return line[::-1]


def count(connection: Connection) -> int:
    """How many steps have begun."""
    return connection.execute(select(func.count()).select_from(steps)).scalar_one()
