"""The tables. Rows are only ever added: triggers refuse everything else, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, SchemaItem

VERSION = 1
"""Of this schema; `archive.migrations` says how older ones become it."""
APPLICATION = 0x656C6974
"""`PRAGMA application_id`, the bytes `elit`: whose file it is."""

METADATA = MetaData()
DIALECT = sqlite.dialect()


def _table(name: str, *columns: SchemaItem) -> Table:
    return Table(name, METADATA, *columns, sqlite_strict=True)


def _text(name: str, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=default is None)


def _step(*, unique: bool = False, nullable: bool = False) -> Column[int]:
    return Column("step", Integer, ForeignKey("steps.step"), unique=unique, nullable=nullable)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _at() -> Column[float]:
    """When the row was written, seconds since 1970. Nothing is decided by it."""
    return Column("at", REAL, nullable=False)


run = _table("run", Column("id", Integer, CheckConstraint("id = 1"), primary_key=True), _text("fixed"), _at())
"""One row: what is fixed for the file, as JSON."""

invocations = _table("invocations", _id(), _text("settings"), _at())
"""What may change from one invocation to the next: settings and versions, as JSON."""

scorings = _table("scorings", _id(), _text("digest"), _at())
"""A re-score that took effect: from here on, rows with this digest count."""

steps = _table(
    "steps",
    Column("step", Integer, CheckConstraint("step >= 0"), primary_key=True),
    Column("island", Integer, nullable=False),
    _text("parents"),
    Column("saw", Integer, nullable=False),
    _text("digest"),
    Column("verification", Integer, nullable=False),
    _at(),
)
"""A step that has begun: JSON list of what was drawn, and the last evaluation row, the scoring digest and the last
verification row that were visible then."""

candidates = _table(
    "candidates",
    _id(),
    _step(unique=True),
    _text("parents"),
    _text("author"),
    _text("note"),
    _text("key"),
    Column("files", Text, ForeignKey("blobs.hash"), nullable=False),
    _at(),
    Index("candidates_by_key", "key", "id"),
)

evaluations = _table(
    "evaluations",
    _id(),
    _step(),
    _text("digest"),
    _text("stage"),
    Column("repeat", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    _text("outcome"),
    Column("value", REAL),
    _text("measures"),
    _text("feedback"),
    _text("artifact", None),
    Column("wall_seconds", REAL, nullable=False),
    Column("cpu_seconds", REAL, nullable=False),
    Column("peak_mb", REAL, nullable=False),
    _text("sandbox"),
    _text("isolation"),
    _text("image"),
    Column("retry", Integer, nullable=False),
    _at(),
    UniqueConstraint("step", "digest", "stage", "repeat", "attempt"),
    CheckConstraint("(outcome = 'scored') = (value IS NOT NULL)", name="value_iff_scored"),
    Index("evaluations_by_digest", "digest", "stage", "repeat", "step", "attempt", "outcome"),
)
"""`artifact` is the hash of its bytes; they are in `blobs` where they are kept."""

verifications = _table(
    "verifications",
    _id(),
    _step(),
    _text("digest"),
    Column("evaluation", Integer, ForeignKey("evaluations.id"), nullable=False),
    Column("value", REAL),
    _text("reason"),
    _at(),
    CheckConstraint("value IS NOT NULL OR reason <> ''", name="value_or_reason"),
    Index("verifications_by_step", "step", "id"),
)

calls = _table(
    "calls",
    _id(),
    _step(),
    Column("number", Integer, nullable=False),
    _text("purpose"),
    _text("model"),
    Column("prompt", Text, ForeignKey("blobs.hash"), nullable=False),
    Column("reserved", REAL),
    _at(),
    UniqueConstraint("step", "number"),
)

settlements = _table(
    "settlements",
    _id(),
    Column("step", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("reply", Text, ForeignKey("blobs.hash")),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("usd", REAL),
    Column("seconds", REAL, nullable=False),
    _text("error"),
    _at(),
    UniqueConstraint("step", "number"),
    ForeignKeyConstraint(["step", "number"], ["calls.step", "calls.number"]),
)

notes = _table("notes", _id(), _step(nullable=True), _text("text"), _at())

blobs = _table(
    "blobs",
    Column("hash", Text, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""Content by the SHA-256 of its bytes, packed by zlib: files, prompts, replies, artifacts."""


def schema() -> Iterator[str]:
    """The statements that make an empty file."""
    for table in METADATA.sorted_tables:
        yield str(CreateTable(table).compile(dialect=DIALECT)).strip()
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index).compile(dialect=DIALECT)).strip()
        yield from triggers(table)


def triggers(table: Table) -> Iterator[str]:
    """What keeps a table insert-only. REPLACE skips delete triggers, so an insert whose key exists is refused too."""
    refusal = f"SELECT RAISE(ABORT, '{table.name}: rows are only ever added')"
    for verb in ("UPDATE", "DELETE"):
        yield f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} BEGIN {refusal}; END"
    same = " OR ".join(" AND ".join(f"{name} = NEW.{name}" for name in key) for key in keys(table))
    yield (
        f"CREATE TRIGGER {table.name}_no_replace BEFORE INSERT ON {table.name} "
        f"WHEN EXISTS (SELECT 1 FROM {table.name} WHERE {same}) BEGIN {refusal}; END"
    )


def keys(table: Table) -> list[tuple[str, ...]]:
    """The columns of each unique key of a table."""
    found = [tuple(column.name for column in table.primary_key.columns)]
    found += [(column.name,) for column in table.columns if column.unique]
    found += [tuple(c.name for c in one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    return sorted(set(found))
