"""What of an evaluation is stored: the artifact where the entry takes a cell or is the best, else its hash alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from archive import blobs
from archive.fold import View
from archive.types import ArchiveError
from evaluators.types import Evaluation


@dataclass(frozen=True)
class Weighed:
    """An evaluation as it goes into the file."""

    evaluation: Evaluation
    artifact: str | None = None
    """The hash of its artifact."""
    kept: blobs.Blob | None = None
    """The artifact itself, where it is to be kept."""


def weighed(view: View, step: int, evaluation: Evaluation, island: Callable[[], int]) -> Weighed:
    """What to store of a step's evaluation. Under another digest than the view's, what holds a cell keeps its artifact.

    Raises:
        ArchiveError: unless a finite value (with a measure for each axis) is there exactly when it scored.
    """
    finite(evaluation)
    if evaluation.value is None:
        return Weighed(evaluation)
    view.cell(evaluation.measures)
    if evaluation.artifact is None:
        return Weighed(evaluation)
    content = blobs.from_artifact(evaluation.artifact)
    name = blobs.digest(content)
    elsewhere = evaluation.digest != view.digest and view.holds(step)
    if not elsewhere and not view.takes(island(), evaluation.value, evaluation.measures):
        return Weighed(evaluation, name)
    if len(content) <= blobs.LIMIT:
        return Weighed(evaluation, name, blobs.packed(content))
    said = f"(its artifact of {len(content) / 2**20:.1f} MiB was not kept: at most {blobs.LIMIT // 2**20} MiB are)"
    return Weighed(replace(evaluation, feedback=f"{evaluation.feedback}\n{said}".lstrip()), name)


def finite(evaluation: Evaluation) -> None:
    """Raises ArchiveError unless a finite value is there exactly when the outcome is `scored`."""
    value = evaluation.value
    if (evaluation.outcome == "scored") != (value is not None) or (value is not None and not math.isfinite(value)):
        raise ArchiveError(f"a finite value belongs to `scored` alone; got {value!r} with {evaluation.outcome!r}")
