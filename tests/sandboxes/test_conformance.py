"""Both sandboxes, both isolations, keep everything in `sandboxes.conformance`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandboxes.conformance import CHECKS, Make, check_crashes, check_fresh, check_survivors, check_values
from sandboxes.docker import DockerSandbox
from sandboxes.process import ProcessSandbox

Check = Callable[[Make], None]
SHORT = (check_values, check_fresh, check_survivors)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_process(check: Check) -> None:
    check(lambda: ProcessSandbox())


@pytest.mark.docker
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_docker(check: Check) -> None:
    check(lambda: DockerSandbox(label="conformance"))


@pytest.mark.parametrize("check", SHORT, ids=lambda check: check.__name__)
def test_process_strict(check: Check) -> None:
    check(lambda: ProcessSandbox("strict"))


@pytest.mark.docker
@pytest.mark.parametrize("check", SHORT, ids=lambda check: check.__name__)
def test_docker_strict(check: Check) -> None:
    check(lambda: DockerSandbox("strict", label="conformance"))


@pytest.mark.parametrize("check", [*SHORT, check_crashes], ids=lambda check: check.__name__)
def test_process_without_namespaces(check: Check) -> None:
    check(lambda: ProcessSandbox(namespaces=False))
