"""A way to call the command line in this process, and a file to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.console.app import app
from agent.keys import Keys
from tests.console.files import run_file


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Elites = Callable[..., Ended]


@pytest.fixture
def elites() -> Elites:
    """Calls a command: `elites("best", file)`."""

    def call(*words: object) -> Ended:
        result = CliRunner().invoke(app, [str(word) for word in words], obj=Keys())
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return run_file(tmp_path / "run.db")
