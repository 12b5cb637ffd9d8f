"""Keeps a view in step with the file. What it holds is always the fold of the rows up to `view.last`."""

from __future__ import annotations

from sqlalchemy import Connection, select

from archive.fold import View
from archive.reading import judged, quarantined
from archive.tables import scorings


def advance(view: View, connection: Connection) -> None:
    """Take in the evaluation rows that came since, in their order."""
    with view.lock:
        for row in judged(connection, view.last):
            view.apply(row)


def turn(view: View, connection: Connection, made: str) -> None:
    """Take in everything that came since; begin afresh where another digest counts or other steps are quarantined.

    Args:
        made: the scoring digest under which the file was made.
    """
    with view.lock:
        digest = connection.execute(select(scorings.c.digest).order_by(scorings.c.id.desc()).limit(1)).scalar() or made
        out, last = quarantined(connection, digest)
        if (digest, out) != (view.digest, view.quarantined):
            view.reset(digest, out, last)
        view.verification = last
        advance(view, connection)
