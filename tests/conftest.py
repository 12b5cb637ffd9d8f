"""What every test shares: whether a Docker daemon answers, and what follows."""

from __future__ import annotations

import os
from functools import cache

import docker
import pytest
from docker.errors import DockerException

REQUIRED = os.environ.get("ELITES_REQUIRE_DOCKER") == "1"


@cache
def daemon_fault() -> str:
    """Why no Docker daemon can be used; empty where one answers."""
    try:
        client = docker.from_env(timeout=10)
        client.ping()
        client.close()
    except (DockerException, OSError) as error:
        return f"no Docker daemon answers: {error}"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("docker") and not REQUIRED and daemon_fault():
            item.add_marker(pytest.mark.skip(reason=daemon_fault()))


@pytest.fixture(autouse=True)
def _needed_daemon(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("docker") and REQUIRED and daemon_fault():
        pytest.fail(f"ELITES_REQUIRE_DOCKER=1, but {daemon_fault()}")
