"""The archive: every row of a run, in one SQLite file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, insert, select

from archive import blobs, files, inserts, ledger, listing, reading, warm
from archive.database import explained, reader, writer
from archive.fold import View
from archive.inserts import storable
from archive.lock import Lock
from archive.reading import Reading
from archive.tables import invocations, notes
from archive.types import ArchiveError, Begun, Call, Candidate, Entry, Note, Row, Run, Selection, Settled, Verification
from archive.weighing import finite, weighed
from archive.writer import Commits
from evaluators.types import Evaluation
from sandboxes.types import Data


class Archive:
    """A run's rows, and the view that they amount to. Any number of threads may use one.

    Promise: when a writing method has returned, its row is in the file and outlives the death of this process; under
    `durable(True)` a loss of power as well. What raised ArchiveError has written nothing.
    Every method raises ArchiveError where the file cannot be read or written, or its rows are not sound.
    """

    def __init__(self, path: Path, run: Run, reads: Reading) -> None:
        """Use `create` or `open`."""
        self.path, self.run, self.view = path, run, View(run, reads.entry)
        self._reads, self._ledger = reads, ledger.Ledger()
        self._commits: Commits | None = None
        self._lock: Lock | None = None

    @classmethod
    def create(cls, path: Path, run: Run) -> Archive:
        """Make a file and open it for writing. It is there complete, or not at all.

        Raises:
            ArchiveError: there is a file already; another process is making it; the folder is missing or read-only; the
                disk is full.
        """
        with ExitStack() as stack:
            lock = files.locked(path, stack)
            files.make(path, run)
            archive = cls._opened(path, lock)
            stack.pop_all()
        return archive

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Archive:
        """Open a file. Readers write nothing and are never blocked; one at a time may write.

        Raises:
            ArchiveError: there is no such file; it is no archive, damaged, or of a newer elites; to write: another
                process holds its lock (the text names it), or it cannot be written.
        """
        files.there(path)
        with ExitStack() as stack:
            lock = files.locked(path, stack) if write else None
            files.prepare(path, write)
            archive = cls._opened(path, lock)
            stack.pop_all()
        return archive

    @classmethod
    def _opened(cls, path: Path, lock: Lock | None) -> Archive:
        with explained(path), ExitStack() as stack:
            engine = reader(path)
            stack.callback(engine.dispose)
            reads = Reading(path, engine)
            archive = cls(path, reads(files.fixed), reads)
            archive.refresh()
            reads(archive._ledger.load)
            if lock is not None:
                archive._lock, archive._commits = lock, Commits(path, writer(path), archive._advance)
            stack.pop_all()
        return archive

    @property
    def digest(self) -> str:
        """The scoring digest whose rows count."""
        return self.view.digest

    def refresh(self) -> View:
        """Take in what was committed since: how a reader follows a run. Writers need not."""
        self._reads(lambda connection: warm.turn(self.view, connection, self.run.digest))
        return self.view

    def durable(self, on: bool) -> None:
        """Whether every commit outlives a loss of power as well: for runs that cost money. About 4 ms a commit."""
        self._writing.durable(on)

    def begin(self, step: int, draw: Callable[[View], tuple[int, Selection]]) -> tuple[Begun, Selection]:
        """Settle what a step is made from, and commit it. One that has begun keeps what it has; `draw` is not called.

        Args:
            step: from 1; the seed (step 0) is added without drawing.
            draw: the home island and the selection; called while the view cannot change.
        """
        known = self._reads(lambda connection: reading.started(connection, step))
        if known is not None:
            return known[0], self.selection(known[0])
        if step < 1:
            raise ArchiveError(f"steps begin at 1 (step 0 is the seed and is added without drawing), not {step}")
        with self.view.lock:
            island, selection = draw(self.view)
            saw, digest, verification = self.view.last, self.view.digest, self.view.verification
        parents = (selection.parent.step, *(entry.step for entry in selection.inspirations))
        begun = Begun(step, island, parents, saw)
        self._writing(lambda connection: inserts.add_step(connection, begun, digest, verification))
        return begun, selection

    def selection(self, begun: Begun) -> Selection:
        """What a step that has begun learns from: the entries as they were then, without artifacts."""
        known = self._reads(lambda connection: reading.started(connection, begun.step))
        digest = known[1] if known else self.digest
        if not begun.parents:
            raise ArchiveError(f"step {begun.step} was not drawn from anything")
        parent, *others = (self._reads.entry(step, digest) for step in begun.parents)
        return Selection(parent, tuple(others))

    def add(self, candidate: Candidate) -> int | None:
        """Commit the candidate of a step that has begun (the seed begins with it). A step keeps the first it was given.

        Returns:
            The first step whose candidate has the same key and was added before, if there is one.
        """
        packed = blobs.from_files(candidate.files)

        def write(connection: Connection) -> int | None:
            if candidate.step == 0 and reading.started(connection, 0) is None:
                inserts.add_step(connection, Begun(0, 0, (), 0), self.run.digest, 0)
            return inserts.add_candidate(connection, candidate, packed)

        return self._writing(write)

    def candidate(self, step: int) -> Candidate | None:
        """The candidate of a step, if there is one."""
        return self._reads(lambda connection: reading.candidate(connection, step))

    def record(self, step: int, evaluation: Evaluation) -> None:
        """Commit what became of a step's candidate, then contest its cell. Without a digest it gets the file's.

        The artifact is kept where the entry takes a cell or is the best, up to 64 MiB; otherwise its hash alone.

        Raises:
            ArchiveError: the step has not begun; it has a value already; a value is missing, not finite, or too many; a
                measure of an axis is missing.
        """
        named = replace(evaluation, digest=evaluation.digest or self.digest)
        stored = weighed(self.view, step, named, lambda: self._island(step))

        def write(connection: Connection) -> None:
            if stored.kept is not None:
                inserts.put(connection, stored.kept)
            inserts.add_evaluation(connection, step, stored.evaluation, stored.artifact)

        self._writing(write, folds=True)

    def _island(self, step: int) -> int:
        known = self._reads(lambda connection: reading.started(connection, step))
        return known[0].island if known else 0

    def entry(self, step: int) -> Entry:
        """The entry of a step, with its artifact where that was kept. Raises ArchiveError where there is none."""
        return self._reads(lambda connection: reading.entry(connection, step, self.digest, artifact=True))

    def evaluations(self, step: int) -> list[Evaluation]:
        """All evaluations of a step, audits and other digests too, oldest first, without artifacts."""
        return self._reads(lambda connection: reading.history(connection, step))

    def unfinished(self, steps: int, retry: str | None = None) -> Iterator[int]:
        """The steps 0 to `steps` (both included) without an end under the current digest, or that end as `retry`."""
        return listing.unfinished(self._reads, self.digest, steps, retry)

    def unscored(self, digest: str) -> Iterator[int]:
        """The steps whose candidates a scorer judged, and the one with this digest has not; ascending."""
        return listing.unscored(self._reads, self.digest, digest)

    def rows(self, order: str = "newest", limit: int | None = None) -> list[Row]:
        """The steps for a listing: `newest` first, unfinished ones included, or `best` first, those with a value."""
        most = self.run.sense == "maximize"
        return self._reads(lambda connection: listing.rows(connection, self.digest, order, limit, most))

    def lineage(self, step: int) -> list[Entry]:
        """From the seed down to a step, by first parents, without artifacts."""
        return self._reads(lambda connection: listing.lineage(connection, step, self.digest))

    def reserve(self, call: Call, cap: float | None) -> None:
        """Set money aside for a call and commit it, before the call is made.

        Raises:
            BudgetSpent: with it, the file might cost more than `cap` USD. No two callers are promised the same money.
        """
        prompt = blobs.from_text(call.prompt)
        write = lambda connection: inserts.add_call(connection, call, prompt)  # noqa: E731
        self._ledger.reserve(call, cap, lambda: self._writing(write))

    def settle(self, step: int, number: int, settled: Settled) -> None:
        """Commit how a reserved call ended, before its reply is parsed."""
        key, reply = (step, number), None if settled.reply is None else blobs.from_text(settled.reply)
        self._ledger.settle(
            key, settled, lambda s: self._writing(lambda connection: inserts.add_settlement(connection, key, s, reply))
        )

    def calls(self, step: int) -> list[tuple[Call, Settled | None]]:
        """The calls of a step in order; None where one has not ended."""
        return self._reads(lambda connection: ledger.paid(connection, step))

    def spent(self) -> float:
        """USD: the price of settled calls; what was reserved for those in flight, lost, or without a known price."""
        return self._ledger.spent()

    def verify(self, step: int, value: float | None, reason: str, evaluation: Evaluation) -> None:
        """Commit a champion check. Without a value the entry is quarantined for the reason, its cell contested anew.

        The evaluation is recorded as well, under its own stage (`verify` where that is `score`).
        """
        checked = Verification(step, value, reason)
        if checked.quarantined and not reason:
            raise ArchiveError("a champion check ends with a value or with a reason why there is none")
        stage = "verify" if evaluation.stage == "score" else evaluation.stage
        judged = replace(evaluation, digest=self.digest, stage=stage)
        finite(judged)

        def write(connection: Connection) -> None:
            row = inserts.add_evaluation(connection, step, judged, None)
            inserts.add_verification(connection, checked, judged.digest, row)

        self._writing(write)
        self.refresh()

    def verified(self, step: int) -> Verification | None:
        """The last champion check of a step under the current digest."""
        return self._reads(lambda connection: reading.verification(connection, step, self.digest))

    def switch(self, digest: str) -> None:
        """From now on rows with this digest count, by one row. Outcomes that no scorer made are carried over.

        Raises:
            ArchiveError: a candidate that was judged is not judged under this digest; or it is the current one.
        """
        if digest == self.digest:
            raise ArchiveError(f"the scoring digest {digest[:12]} counts already")
        old, missing = self.digest, list(self.unscored(digest))
        self._writing(lambda connection: inserts.switch(connection, old, digest, missing))
        self.refresh()

    def invocation(self, settings: Mapping[str, Data]) -> None:
        """Commit the settings and versions of this invocation: JSON values."""
        row = {"settings": json.dumps(settings), "at": time.time()}
        self._writing(lambda connection: connection.execute(insert(invocations), row))

    def note(self, text: str, step: int | None = None) -> None:
        """Commit what the search has learnt, after a step if it names one."""
        row = {"text": storable(text), "step": step, "at": time.time()}
        self._writing(lambda connection: connection.execute(insert(notes), row))

    def notes(self) -> list[Note]:
        """What the search has learnt, oldest first."""
        query = select(notes.c.text, notes.c.step).order_by(notes.c.id)
        return self._reads(lambda connection: [Note(text, step) for text, step in connection.execute(query)])

    def copy(self, to: Path) -> None:
        """Copy the file as it is now; a run may go on writing it. Raises ArchiveError where that name is taken."""
        files.copy(self.path, to)

    def close(self) -> None:
        """Leave one file, where nobody else looks at it, and let go of the lock. Calling it again does nothing."""
        self._reads.engine.dispose()
        commits, self._commits = self._commits, None
        if commits is not None:
            commits.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def connected(self) -> AbstractContextManager[Connection]:
        """A connection for reading only, for checks and figures of one's own."""
        return reading.connected(self._reads.engine, self.path)

    def _advance(self) -> None:
        self._reads(lambda connection: warm.advance(self.view, connection))

    @property
    def _writing(self) -> Commits:
        if self._commits is None:
            raise ArchiveError(f"{self.path} is open for reading only, or closed: open it with write=True")
        return self._commits
