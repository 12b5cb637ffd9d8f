"""Pictures of artifacts, drawn by a problem's own `plot`."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from contextlib import chdir
from typing import Any


class DrawingError(Exception):
    """An artifact cannot be drawn; the text says why."""


def picture(plot: Callable[[Any], Any], artifact: Any, suffix: str = "png") -> bytes:
    """The picture as a file of that suffix holds it. Raises DrawingError."""
    try:
        imported()
        figure = plot(artifact)
        if not hasattr(figure, "savefig"):
            raise DrawingError(f"plot must return a matplotlib Figure, not {type(figure).__name__}")
        known = figure.canvas.get_supported_filetypes()
        if suffix not in known:
            raise DrawingError(f"no picture is made of the kind {suffix!r}; there are {', '.join(sorted(known))}")
        drawn = io.BytesIO()
        figure.savefig(drawn, format=suffix)
    except (ArithmeticError, AttributeError, ImportError, LookupError, NameError, RuntimeError, TypeError, ValueError) as error:
        raise DrawingError(f"{type(error).__name__}: {error}") from error
    return drawn.getvalue()


def imported() -> None:
    """Import matplotlib in an empty folder: it would take settings from the current one, which may be a stranger's."""
    with tempfile.TemporaryDirectory() as empty, chdir(empty):
        import matplotlib  # noqa: F401
