"""Run one crawl on a Ray cluster, to its end or until signals stop it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy.settings import Settings

from crawler import shutdown
from crawler.cluster.settings import settings_from, values_of
from crawler.downloader.pace import gap_of
from crawler.errors import AlsoreadError, ClusterError, Interrupted, LockedError
from crawler.items import Outcome

if TYPE_CHECKING:
    from types import ModuleType

_NAMESPACE = "alsoread"
_POLL_SECONDS = 0.5
"""Seconds between two looks at the state of the crawl."""
_PATIENCE_SECONDS = 10.0
"""How long the coordinator may take to answer before it is asked again."""
_LONGEST_SILENCE_SECONDS = 60.0
"""How long the coordinator may take to start anew before the cluster counts as gone."""
_GRACE_SECONDS = 5.0
"""How long an interrupted run waits for responses under way."""
_FOR_EVER = -1
"""Restarts of an actor."""

Show = Callable[[dict[str, Any]], None]


def run(settings: Settings, seeds: Sequence[str], pages: Sequence[str], show: Show) -> dict[str, Any]:
    """Run a crawl to its end, and return its statistics. Raises AlsoreadError.

    `pages`: the addresses of the seeds; `show` is called with the coordinator's status, twice a second.
    """
    if shutdown.is_asked():
        raise Interrupted("Interrupted before anything was fetched; run the same command again.")
    workers = settings.getint("ALSOREAD_WORKERS")
    with _connected(settings["ALSOREAD_CLUSTER"], workers) as ray:
        return _Run(ray, settings, seeds, pages, workers).finish(show)


def status(address: str, data: Path) -> dict[str, Any]:
    """Return the status of the crawl of an archive that runs on a cluster. Raises ClusterError."""
    with _connected(address, 0, start=False) as ray:
        try:
            coordinator = ray.get_actor(_name_of(data), namespace=_NAMESPACE)
            found: dict[str, Any] = ray.get(coordinator.status.remote(), timeout=_PATIENCE_SECONDS)
        except (ValueError, ray.exceptions.RayError):
            raise ClusterError(f"No crawl of {data} runs on the cluster.") from None
        return found


class _ClusterGone(Interrupted):
    """The head of the cluster has ended, so that nothing of it can be asked any more."""


class _Run:
    """The coordinator and the workers of a crawl; Ray starts each anew that ends."""

    def __init__(
        self, ray: ModuleType, settings: Settings, seeds: Sequence[str], pages: Sequence[str], workers: int
    ) -> None:
        from crawler.cluster.actors import CoordinatorActor
        from crawler.cluster.rate import shared_rate
        from crawler.cluster.worker import Worker

        self._ray: Any = ray
        self._gcs_address: str = ray.get_runtime_context().gcs_address
        self._asked: list[str] = []
        self._may_grow = not workers
        data = Path(settings["ALSOREAD_DATA"]).absolute()
        values = values_of(settings) | {
            "ALSOREAD_DATA": str(data),
            "LOG_FILE": str(Path(settings["LOG_FILE"]).absolute()),
        }
        here = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._name = _name_of(data)
        coordinator = ray.remote(CoordinatorActor).options(
            name=self._name,
            namespace=_NAMESPACE,
            num_cpus=0,
            max_restarts=_FOR_EVER,
            scheduling_strategy=here,
        )
        try:
            self._coordinator = coordinator.remote(values, list(seeds), list(pages), workers)
        except ValueError:
            raise LockedError(f"Another crawl of {data} runs on the cluster.") from None
        self._worker = ray.remote(Worker).options(
            num_cpus=1, max_restarts=_FOR_EVER, max_task_retries=_FOR_EVER
        )
        self._rate = shared_rate() if gap_of(settings_from(values)) else None
        self._workers: list[Any] = []
        self._runs: list[Any] = []
        self._first_workers = workers or self._processors()

    def finish(self, show: Show) -> dict[str, Any]:
        """Run it to its end, and return its statistics."""
        try:
            with shutdown.steps(
                lambda: self._asked.append(Outcome.SHUTDOWN), lambda: self._asked.append(Outcome.FORCED)
            ):
                return self._finish(show)
        finally:
            if not isinstance(sys.exception(), _ClusterGone):
                for actor in (*self._workers, self._coordinator):
                    with suppress(Exception):
                        self._ray.kill(actor)

    def _finish(self, show: Show) -> dict[str, Any]:
        self._ask("open")
        self._grow(self._first_workers)
        try:
            outcome = self._watch(show)
        except _ClusterGone:
            raise
        except AlsoreadError:
            self._ask("close", Outcome.SHUTDOWN)
            raise
        self._ray.wait(self._runs, num_returns=len(self._runs), timeout=_POLL_SECONDS)
        stats: dict[str, Any] = self._ask("close", outcome)
        return stats

    def _watch(self, show: Show) -> str:
        """Wait for the end, and return the outcome."""
        outcome: str | None = None
        asked_at = monotonic()
        is_stopping = False
        while outcome is None:
            self._check_workers()
            status = self._ask("status")
            show(status)
            outcome = status["ended"]
            if not self._asked:
                asked_at = monotonic()
                if self._may_grow:
                    self._grow(self._processors())
            elif Outcome.FORCED in self._asked:
                outcome = Outcome.FORCED
            elif not is_stopping:
                self._ask("stop", Outcome.SHUTDOWN)
                is_stopping = True
            elif monotonic() - asked_at > _GRACE_SECONDS:
                outcome = Outcome.SHUTDOWN
        return outcome

    def _processors(self) -> int:
        return max(int(self._ray.cluster_resources().get("CPU", 1)), 1)

    def _grow(self, workers: int) -> None:
        """Start workers until there are so many; those without a processor wait for one to join."""
        while len(self._workers) < workers:
            worker = self._worker.remote(f"{len(self._workers) + 1}", self._name)
            self._workers.append(worker)
            self._runs.append(worker.run.remote())

    def _check_workers(self) -> None:
        """Wait a moment. Raises AlsoreadError if a worker can't take part."""
        ended, _ = self._ray.wait(self._runs, num_returns=len(self._runs), timeout=_POLL_SECONDS)
        for run_ in ended:
            try:
                self._ray.get(run_)
            except self._ray.exceptions.RayTaskError as error:
                raise _explained(error) from None
            except self._ray.exceptions.RayError as error:
                raise ClusterError(f"A worker can't be started: {_first_line(error)}") from None

    def _ask(self, method: str, *args: Any) -> Any:
        """Return the coordinator's answer; wait while it starts anew."""
        errors = self._ray.exceptions
        since = monotonic()
        while True:
            try:
                return self._ray.get(
                    getattr(self._coordinator, method).remote(*args), timeout=_PATIENCE_SECONDS
                )
            except errors.RayTaskError as error:
                raise _explained(error) from None
            except (errors.RayActorError, errors.GetTimeoutError):
                if self._is_cluster_gone() or monotonic() - since > _LONGEST_SILENCE_SECONDS:
                    raise _ClusterGone("The Ray cluster is gone; run the same command to resume.") from None

    def _is_cluster_gone(self) -> bool:
        """Return whether the head does not answer, which Ray itself takes a minute to find."""
        try:
            _check_address(self._gcs_address)
        except OSError:
            return True
        return False


def _check_address(address: str) -> None:
    """Raise OSError where nothing answers."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), _PATIENCE_SECONDS).close()


def _explained(error: Any) -> BaseException:
    """Return what was raised on another node."""
    cause: BaseException = error.cause
    return cause if isinstance(cause, AlsoreadError | OSError) else error


def _name_of(data: Path) -> str:
    """Return the name of the coordinator of an archive, by which Ray knows it."""
    return f"coordinator-{sha256(str(data.absolute()).encode()).hexdigest()[:16]}"


@contextmanager
def _connected(address: str, workers: int, *, start: bool = True) -> Iterator[ModuleType]:
    """Connect to a cluster; "auto" starts one of this process' own, which ends with it. Raises ClusterError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told
    # What ends is started anew, and the log of the crawl tells: none of it is for the terminal.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    is_own = address == "auto" and start
    if is_own:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ModuleNotFoundError:
        raise ClusterError(
            "--cluster needs ray, which is not installed: install alsoread[cluster]."
        ) from None
    options: dict[str, Any] = {
        "address": "local",  # not one that runs here already
        "include_dashboard": False,
        "num_cpus": max(workers, os.cpu_count() or 1),
    }
    if not is_own:
        options = {"address": address}
        _check_cluster(address)
    if ours := {name: value for name, value in os.environ.items() if name.startswith("ALSOREAD_")}:
        options["runtime_env"] = {"env_vars": ours}  # for the processes on other nodes
    try:
        ray.init(**options, namespace=_NAMESPACE, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(f"No Ray cluster can be used at {address}: {_first_line(error)}") from None
    shutdown.install()  # Ray has put its own in the place of our handlers
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_cluster(address: str) -> None:
    """Raise ClusterError where nothing answers, for which Ray would wait for minutes."""
    if address == "auto":
        return
    try:
        _check_address(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClusterError(f"No Ray cluster can be used at {address}: {reason}.") from None


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
