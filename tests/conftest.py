"""What every test shares: whether a Docker daemon answers, and what follows."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import pytest

REQUIRED = os.environ.get("ELITES_REQUIRE_DOCKER") == "1"


@cache
def daemon_fault() -> str:
    """Why no Docker daemon can be used; empty where one answers."""
    asked = [sys.executable, "-c", "import docker; docker.from_env(timeout=10).ping()"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else f"no Docker daemon answers: {ended.stderr.strip().splitlines()[-1]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("docker") and not REQUIRED and daemon_fault():
            item.add_marker(pytest.mark.skip(reason=daemon_fault()))


@pytest.fixture(autouse=True)
def _needed_daemon(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("docker") and REQUIRED and daemon_fault():
        pytest.fail(f"ELITES_REQUIRE_DOCKER=1, but {daemon_fault()}")
