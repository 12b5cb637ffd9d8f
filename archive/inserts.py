"""Rows going in: each function adds to the transaction it is given."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, select, text

from archive.blobs import Blob
from archive.tables import calls, candidates, evaluations, scorings, settlements, steps, verifications
from archive.types import ArchiveError, Begun, Call, Candidate, Settled, Verification
from evaluators.types import Evaluation

PUT = text(
    "INSERT INTO blobs (hash, size, data) SELECT :hash, :size, :data "
    "WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE hash = :hash)"
)

GIVEN = select(candidates.c.id).where(candidates.c.step == bindparam("step"))
SAME = (
    select(candidates.c.step)
    .where(candidates.c.key == bindparam("key"), candidates.c.id < bindparam("row"))
    .order_by(candidates.c.id)
    .limit(1)
)
BEFORE = select(func.count(), func.max(evaluations.c.value.is_not(None))).where(
    *(evaluations.c[name] == bindparam(name) for name in ("step", "digest", "stage", "repeat"))
)

UNJUDGED = ("refused", "duplicate", "reply", "unproposed")
"""The outcomes that no scorer made: they stay as they are when the scorer changes."""

CARRY = text(
    "INSERT INTO evaluations (step, digest, stage, repeat, attempt, outcome, value, measures, feedback, artifact, "
    "wall_seconds, cpu_seconds, peak_mb, sandbox, isolation, image, retry, at) "
    "SELECT step, :new, stage, repeat, 0, outcome, value, measures, feedback, artifact, "
    "wall_seconds, cpu_seconds, peak_mb, sandbox, isolation, image, retry, :at FROM evaluations AS old "
    "WHERE digest = :old AND stage = 'score' AND repeat = 0 AND outcome IN :carried "
    "AND NOT EXISTS (SELECT 1 FROM evaluations AS later WHERE later.step = old.step AND later.digest = :old "
    "AND later.stage = 'score' AND later.repeat = 0 AND later.attempt > old.attempt) "
    "AND NOT EXISTS (SELECT 1 FROM evaluations AS new WHERE new.step = old.step AND new.digest = :new "
    "AND new.stage = 'score' AND new.repeat = 0) ORDER BY old.id"
).bindparams(bindparam("carried", UNJUDGED, expanding=True))


def storable(words: str) -> str:
    """Text without half surrogate pairs, which SQLite does not take."""
    return words.encode("utf-8", "backslashreplace").decode()


def put(connection: Connection, blob: Blob) -> None:
    """Content that is there already stays."""
    connection.execute(PUT, {"hash": blob.hash, "size": blob.size, "data": blob.data})


def add_step(connection: Connection, begun: Begun, digest: str, verification: int) -> None:
    """A step has begun."""
    row = {"step": begun.step, "island": begun.island, "parents": json.dumps(begun.parents), "saw": begun.saw}
    connection.execute(insert(steps), {**row, "digest": digest, "verification": verification, "at": time.time()})


def add_candidate(connection: Connection, candidate: Candidate, files: Blob) -> int | None:
    """The candidate of a step; the earlier step with the same key, if there is one. One that is there already stays."""
    row = connection.execute(GIVEN, {"step": candidate.step}).scalar()
    if row is None:
        put(connection, files)
        made = connection.execute(
            insert(candidates),
            {
                "step": candidate.step,
                "parents": json.dumps(candidate.parents),
                "author": storable(candidate.author),
                "note": storable(candidate.note),
                "key": storable(candidate.key),
                "files": files.hash,
                "at": time.time(),
            },
        )
        row = made.inserted_primary_key[0] if made.inserted_primary_key else 0
    if not candidate.key:
        return None
    return connection.execute(SAME, {"key": storable(candidate.key), "row": row}).scalar()


def add_evaluation(connection: Connection, step: int, evaluation: Evaluation, artifact: str | None) -> int:
    """What became of a step's candidate; the number of the row. Raises ArchiveError where it has scored already."""
    place = {"step": step, "digest": evaluation.digest, "stage": evaluation.stage, "repeat": evaluation.repeat}
    attempt, scored = connection.execute(BEFORE, place).one()
    if scored and evaluation.stage == "score":
        raise ArchiveError(f"step {step} has scored already under {evaluation.digest[:12]}: a value is never replaced")
    usage = evaluation.usage
    made = connection.execute(
        insert(evaluations),
        {
            **place,
            "attempt": attempt,
            "outcome": evaluation.outcome,
            "value": evaluation.value,
            "measures": json.dumps(dict(evaluation.measures)),
            "feedback": storable(evaluation.feedback),
            "artifact": artifact,
            "wall_seconds": usage.wall_seconds,
            "cpu_seconds": usage.cpu_seconds,
            "peak_mb": usage.peak_mb,
            "sandbox": evaluation.sandbox,
            "isolation": evaluation.isolation,
            "image": evaluation.image,
            "retry": int(evaluation.retry),
            "at": time.time(),
        },
    )
    return int(made.inserted_primary_key[0]) if made.inserted_primary_key else 0


def add_verification(connection: Connection, checked: Verification, digest: str, evaluation: int) -> None:
    """A champion was checked."""
    row = {"step": checked.step, "value": checked.value, "reason": storable(checked.reason)}
    connection.execute(insert(verifications), {**row, "digest": digest, "evaluation": evaluation, "at": time.time()})


def add_call(connection: Connection, call: Call, prompt: Blob) -> None:
    """A call is about to be made."""
    put(connection, prompt)
    row = {"step": call.step, "number": call.number, "purpose": storable(call.purpose), "model": storable(call.model)}
    connection.execute(insert(calls), {**row, "prompt": prompt.hash, "reserved": call.reserved, "at": time.time()})


def add_settlement(connection: Connection, key: tuple[int, int], settled: Settled, reply: Blob | None) -> None:
    """A call has ended."""
    if reply is not None:
        put(connection, reply)
    connection.execute(
        insert(settlements),
        {
            "step": key[0],
            "number": key[1],
            "reply": reply.hash if reply else None,
            "prompt_tokens": settled.prompt_tokens,
            "completion_tokens": settled.completion_tokens,
            "usd": settled.usd,
            "seconds": settled.seconds,
            "error": storable(settled.error),
            "at": time.time(),
        },
    )


def switch(connection: Connection, old: str, new: str, missing: Sequence[int]) -> None:
    """From here on rows with the new digest count. Raises ArchiveError where steps are missing under it."""
    if missing:
        some = ", ".join(map(str, missing[:5])) + (", …" if len(missing) > 5 else "")
        raise ArchiveError(
            f"{len(missing)} candidates are not judged under {new[:12]} yet (steps {some}): rescore first"
        )
    connection.execute(CARRY, {"old": old, "new": new, "at": time.time()})
    connection.execute(insert(scorings), {"digest": new, "at": time.time()})
