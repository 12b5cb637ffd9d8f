"""Carries evaluations out on Ray workers, on this machine or a cluster."""

from __future__ import annotations

import logging
import os
import queue
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evaluators.engines.guardian import guarded, release
from evaluators.engines.local import TRIES, Load, Sandboxed
from evaluators.types import EngineError, Evaluation, Job, Reference
from sandboxes.types import Sandbox, SandboxUnavailable

if TYPE_CHECKING:
    from ray.actor import ActorHandle

START_SECONDS = 180.0
"""How long workers may take to start, their first box included."""
STORE_BYTES = 100_000_000
"""Ray's object store: what crosses is small."""


class Worker:
    """What runs on a Ray actor: an engine with a sandbox of its own, one job at a time."""

    def __init__(self, make: Callable[[], Sandbox], load: Load) -> None:
        self._engine = Sandboxed(make(), load)

    def warm(self, reference: Reference) -> None:
        """Have a box ready. Raises SandboxUnavailable."""
        self._engine.warm(reference)

    def evaluate(self, job: Job) -> tuple[Evaluation, bool]:
        """What became of the candidate, and whether this worker must be replaced."""
        return self._engine.evaluate(job), self._engine.stuck

    def close(self) -> None:
        self._engine.close()


class OnRay:
    """An engine of `workers` Ray actors. They start at the first job or `warm`; closing it ends what it started.

    A job whose worker or node is lost is carried out again, at most twice more, elsewhere.
    """

    def __init__(self, workers: int, make: Callable[[], Sandbox], load: Load, address: str | None = None) -> None:
        self._workers = workers
        self._make = make
        self._load = load
        self._address = address
        self._free: queue.Queue[ActorHandle[Worker]] = queue.Queue()
        self._all: set[ActorHandle[Worker]] = set()
        self._starting = threading.Lock()
        self._joined = False
        self._guardian: subprocess.Popen[str] | None = None
        self._reference: Reference | None = None

    def warm(self, reference: Reference) -> None:
        """Join or start Ray and its workers.

        Raises:
            EngineError: Ray does not start, or the address does not answer.
            SandboxUnavailable: no box can be started on a worker.
        """
        with self._starting:
            if self._all:
                return
            self._reference = reference
            self._join()
            started = [self._worker() for _ in range(self._workers)]
            for actor in started:
                self._ready(actor)

    def evaluate(self, job: Job) -> Evaluation:
        """Raises SandboxUnavailable, EngineError."""
        import ray

        self.warm(job.reference)
        task = self._load(job.reference)
        patience = task.needs.seconds + task.scoring.seconds + START_SECONDS
        lost = ""
        for attempt in range(TRIES):
            actor = self._free.get()
            evaluation: Evaluation
            try:
                evaluation, spent = ray.get(actor.evaluate.remote(job), timeout=patience)
            except ray.exceptions.RayTaskError as error:
                self._free.put(actor)
                raise _cause(error) from None
            except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError) as error:
                lost = f"{type(error).__name__}: {error}"
                self._replace(actor, pause=attempt)
            else:
                if spent:
                    self._replace(actor)
                else:
                    self._free.put(actor)
                return evaluation
        text = f"its worker was lost {TRIES} times: {lost}"[:1000]
        return Evaluation("scorer", feedback=text, digest=job.digest, stage=job.stage, repeat=job.repeat, retry=True)

    def close(self) -> None:
        import ray

        with self._starting:
            if not self._joined:
                return
            closing = [actor.close.remote() for actor in self._all]
            ray.wait(closing, num_returns=len(closing), timeout=10) if closing else None
            for actor in self._all:
                ray.kill(actor)
            self._all.clear()
            ray.shutdown()
            release(self._guardian)
            self._joined = False

    def _join(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if self._address is None:  # whoever may speak to its ports may run code: they are not open to the network, nor without a token
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # despite its name: on Linux too, all on 127.0.0.1
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        import ray

        if ray.is_initialized():
            return
        local: dict[str, Any] = (
            {}
            if self._address
            else {"num_cpus": self._workers, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        )
        try:
            _reached(self._address)
            with _elsewhere():
                ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR, **local)
        except (ConnectionError, OSError, ValueError, RuntimeError, TimeoutError) as error:
            where = f"at {self._address}" if self._address else "on this machine"
            raise EngineError(f"Ray does not answer {where}: {error}. `--engine local` does without it") from error
        self._joined = True
        self._guardian = guarded()

    def _worker(self) -> ActorHandle[Worker]:
        import ray

        actor: ActorHandle[Worker] = ray.remote(Worker).options(num_cpus=1).remote(self._make, self._load)
        self._all.add(actor)
        return actor

    def _ready(self, actor: ActorHandle[Worker]) -> None:
        import ray

        try:
            ray.get(actor.warm.remote(self._reference), timeout=START_SECONDS)
        except (ray.exceptions.RayTaskError, ray.exceptions.RayActorError) as error:
            raise _cause(error) from None
        except ray.exceptions.GetTimeoutError:
            raise EngineError(
                f"no Ray worker was ready within {START_SECONDS:.0f} s: {self._workers} are asked for; has the cluster so many free cpus?"
            ) from None
        self._free.put(actor)

    def _replace(self, actor: ActorHandle[Worker], pause: int = 0) -> None:
        """Put a new worker in the place of one that is lost. A node's loss takes Ray a while to notice: hence the pause."""
        import ray

        with self._starting:
            self._all.discard(actor)
            ray.kill(actor)
        time.sleep(pause)
        with self._starting:
            fresh = self._worker()
        self._ready(fresh)


@contextmanager
def _elsewhere() -> Iterator[None]:
    """In the root folder: Ray puts the working directory first on its workers' import path, and users name theirs as they like."""
    here = os.getcwd()
    os.chdir("/")
    try:
        yield
    finally:
        os.chdir(here)


def _reached(address: str | None) -> None:
    """Raises OSError where nothing listens at `host:port`: Ray itself would try for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def _cause(error: Exception) -> Exception:
    """Our own error that came back wrapped in one of Ray's."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, (SandboxUnavailable, EngineError)):
        return cause
    return EngineError(f"a Ray worker failed: {error}")
