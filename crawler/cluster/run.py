"""Run one crawl on a Ray cluster, to its end or until signals stop it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy.settings import Settings

from crawler import shutdown
from crawler.cluster.connection import (
    NAMESPACE,
    ClusterGone,
    connected,
    count_processors,
    explained,
    first_line,
    is_gone,
)
from crawler.cluster.names import find_name, name_of, other_parts
from crawler.cluster.settings import settings_from, values_of
from crawler.downloader.pace import gap_of
from crawler.errors import AlsoreadError, ClusterError, Interrupted, LockedError
from crawler.frontier.due import part_of
from crawler.items import Outcome

if TYPE_CHECKING:
    from types import ModuleType

_POLL_SECONDS = 0.5
"""Seconds between two looks at the state of the crawl."""
_PATIENCE_SECONDS = 10.0
"""How long the coordinator may take to answer before it is asked again."""
_LONGEST_SILENCE_SECONDS = 60.0
"""How long the coordinator may take to start before the run ends."""
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
    with connected(settings["ALSOREAD_CLUSTER"], workers) as ray:
        return _Run(ray, settings, seeds, pages, workers).finish(show)


def status(address: str, data: Path) -> dict[str, Any]:
    """Return the status of the crawl of an archive that runs on a cluster. Raises ClusterError."""
    with connected(address, 0, start=False) as ray:
        try:
            name = find_name(data, ray.util.list_named_actors())
            coordinator = ray.get_actor(name, namespace=NAMESPACE)
            found: dict[str, Any] = ray.get(coordinator.status.remote(), timeout=_PATIENCE_SECONDS)
        except (ValueError, ray.exceptions.RayError):
            raise ClusterError(f"No crawl of {data} runs on the cluster.") from None
        return found


class _Run:
    """The coordinator and the workers of a crawl; Ray starts each anew that ends."""

    def __init__(
        self, ray: ModuleType, settings: Settings, seeds: Sequence[str], pages: Sequence[str], workers: int
    ) -> None:
        from crawler.cluster.actors import CoordinatorActor, in_pieces
        from crawler.cluster.rate import shared_rate
        from crawler.cluster.worker import Worker

        self._ray: Any = ray
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
        part = part_of(settings)
        self._name = name_of(data, part, settings.getlist("ALSOREAD_SCOPE"))
        coordinator = ray.remote(CoordinatorActor).options(
            name=self._name,
            namespace=NAMESPACE,
            num_cpus=0,
            max_restarts=_FOR_EVER,
            scheduling_strategy=here,
        )
        try:
            self._coordinator = coordinator.remote(*in_pieces(values, list(seeds), list(pages), workers))
        except ValueError:
            raise LockedError(f"Another crawl of {data} runs on the cluster.") from None
        # A name is taken at once: of two that begin together, at least one finds the other.
        if part and part.number in other_parts(self._name, ray.util.list_named_actors()):
            raise LockedError(f"Part {part} is crawled on the cluster already, into another archive.")
        self._worker = ray.remote(Worker).options(
            num_cpus=1, max_restarts=_FOR_EVER, max_task_retries=_FOR_EVER
        )
        # Held as long as the crawl goes on: Ray ends an actor that nobody holds.
        self._rate = shared_rate() if gap_of(settings_from(values)) else None
        self._workers: list[Any] = []
        self._runs: list[Any] = []
        self._parts = part.count if part else 1
        self._first_workers = workers or self._share_of_processors()

    def finish(self, show: Show) -> dict[str, Any]:
        """Run it to its end, and return its statistics."""
        try:
            with shutdown.steps(
                lambda: self._asked.append(Outcome.SHUTDOWN), lambda: self._asked.append(Outcome.FORCED)
            ):
                return self._finish(show)
        finally:
            if not isinstance(sys.exception(), ClusterGone):
                self._end([*self._workers, self._coordinator])

    def _finish(self, show: Show) -> dict[str, Any]:
        self._ask("open")
        self._grow(self._first_workers)
        try:
            outcome = self._watch(show)
        except ClusterGone:
            raise
        except AlsoreadError:
            self._close(Outcome.SHUTDOWN)
            raise
        self._ray.wait(self._runs, num_returns=len(self._runs), timeout=_POLL_SECONDS)
        return self._close(outcome)

    def _close(self, outcome: str) -> dict[str, Any]:
        """End the workers, so that they write no WARC file any more, then the crawl; return its statistics."""
        self._end(self._workers)
        stats: dict[str, Any] = self._ask("close", outcome)
        return stats

    def _end(self, actors: Sequence[Any]) -> None:
        for actor in actors:
            with suppress(Exception):
                self._ray.kill(actor)

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
                    self._grow(self._share_of_processors())
            elif Outcome.FORCED in self._asked:
                outcome = Outcome.FORCED
            elif not is_stopping:
                self._ask("stop", Outcome.SHUTDOWN)
                is_stopping = True
            elif monotonic() - asked_at > _GRACE_SECONDS:
                outcome = Outcome.SHUTDOWN
        return outcome

    def _share_of_processors(self) -> int:
        """Return how many processors there are for this part of the crawl."""
        return max(count_processors(self._ray) // self._parts, 1)

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
                raise explained(error) from None
            except self._ray.exceptions.RayError as error:
                raise ClusterError(f"A worker can't be started: {first_line(error)}") from None

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
                raise explained(error) from None
            except (errors.RayActorError, errors.GetTimeoutError):
                if is_gone(self._ray):
                    raise ClusterGone from None
                if monotonic() - since > _LONGEST_SILENCE_SECONDS:
                    what = f"The coordinator has not answered for {_LONGEST_SILENCE_SECONDS:g} seconds"
                    raise ClusterGone(what) from None
