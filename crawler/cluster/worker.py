"""Run the spider on a node of a cluster, with pages from the coordinator: an actor that holds nothing itself."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from importlib.metadata import version
from time import monotonic, sleep, time_ns
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import BaseSettings

from crawler.cluster.originals import Mark, WorkerOriginals, store
from crawler.cluster.rate import shared_rate
from crawler.cluster.settings import settings_from
from crawler.cluster.wire import InvalidItem
from crawler.frontier.queue import Round
from crawler.frontier.remote import Claim, Item, Report, Supply
from crawler.settings import ALSOREAD_WORKER
from crawler.spiders.also_read import AlsoReadSpider

_RETRY_SECONDS = 0.2
"""Seconds between two calls to a coordinator that does not answer: it starts anew."""
_BEGINS_ANEW = 3
"""Exit code of a worker that ends so that it begins anew."""


class Worker:
    """Fetch and read pages for a coordinator until the crawl has ended."""

    def __init__(self, name: str, coordinator: str) -> None:
        """`coordinator`: the name of its actor; Ray would not start a worker anew that got the actor itself."""
        self._name, self._coordinator = name, ray.get_actor(coordinator)

    def run(self) -> None:
        """Run a spider to the end of the crawl. One that ends before that ends the process, which begins anew."""
        values, seeds, mark = self._admitted()
        log = _Records()
        logging.getLogger().addHandler(log)
        settings = settings_from(values, **ALSOREAD_WORKER)
        link = RayLink(self._name, self._coordinator, settings.getfloat("ALSOREAD_LEASE_SECONDS"), log)
        if mark:
            link.keep_originals(settings, seeds, mark)
        spider = type("WorkerSpider", (AlsoReadSpider,), {"link": link})
        process = AsyncCrawlerProcess(settings)
        task = process.crawl(process.create_crawler(spider), seeds=seeds)
        process.start(install_signal_handlers=False)
        link.close()
        if not (task.done() and link.is_over):
            link.begin_anew()

    def _admitted(self) -> tuple[dict[str, Any], list[str], Mark | None]:
        """Return what the coordinator's `admit` does; wait for a coordinator that starts anew."""
        values: dict[str, Any]
        seeds: list[str]
        mark: Mark | None
        while True:
            try:
                values, seeds, mark = ray.get(self._coordinator.admit.remote(self._name, version("alsoread")))
            except RayTaskError as error:
                raise error.cause from None
            except RayError:
                sleep(_RETRY_SECONDS)
            else:
                return values, seeds, mark


class RayLink:
    """The line to the coordinator: calls wait while it starts anew; what it may not have got is sent again."""

    def __init__(self, name: str, coordinator: Any, lease_seconds: float, log: _Records) -> None:
        self._name, self._coordinator, self._lease_seconds, self._log = name, coordinator, lease_seconds, log
        self._incarnation = f"{time_ns()}-{os.getpid()}"
        self._heard_at = monotonic()
        self._rate: Any = None
        self._originals: WorkerOriginals | None = None
        self._takes = 0
        self.is_over = False

    def keep_originals(self, settings: BaseSettings, seeds: Sequence[str], mark: Mark) -> None:
        """Write the records of what is fetched from now on. Raises UsageError."""
        self._originals = WorkerOriginals(settings, seeds, mark, self._call)

    async def join(self, claim: Claim) -> None:
        """Begin, or go on after a restart of the coordinator."""
        if not await self._call("join", claim):
            self.begin_anew()

    async def take(self, room: int, report: Report) -> Supply | None:
        """Return at most `room` pages; None if the coordinator does not know the worker."""
        self._takes += 1
        supply: Supply | None = await self._call("take", self._takes, room, report)
        self.is_over = supply is not None and supply.is_over
        return supply

    async def begin(self, url: str) -> None:
        """Say that the request is sent for a page over which other workers ended."""
        await self._call("begin", url)

    async def settle(self, items: Sequence[tuple[Round | None, Item]]) -> list[str]:
        """Store items, and return each one's kind of result."""
        if self._originals:
            return await self._originals.settle(items)
        return await store(self._call, items)

    async def take_share(self, gap: float) -> int:
        """Wait for a share of the time under the rate limit; return its number."""
        while True:
            try:
                self._rate = self._rate or shared_rate()
                share: int = await self._rate.take_share.remote(gap)
            except RayError:  # the crawl that started it has ended
                self._rate = None
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return share

    def give_back(self, share: int) -> None:
        """End a share."""
        self._rate.give_back.remote(share)

    @property
    def has_lease(self) -> bool:
        """Return whether the coordinator can't have given its hosts to others."""
        return monotonic() - self._heard_at <= self._lease_seconds

    async def wait_for_lease(self) -> None:
        """Wait while the coordinator, which is not heard of, may have given its hosts to others."""
        while not self.has_lease:
            await asyncio.sleep(_RETRY_SECONDS)

    def close(self) -> None:
        """Close the WARC file, if there is one. Raises OSError."""
        if self._originals:
            self._originals.close()

    def begin_anew(self) -> None:
        """End the process, which Ray starts anew: its pages are handed out again."""
        os._exit(_BEGINS_ANEW)

    def log_records(self) -> list[tuple[int, str]]:
        """Return the records of the log since the last call."""
        return self._log.take()

    async def _call(self, method: str, *args: Any) -> Any:
        while True:
            sent_at = monotonic()
            try:
                answer = await getattr(self._coordinator, method).remote(self._name, self._incarnation, *args)
            except RayError as error:
                if isinstance(error, RayTaskError) and isinstance(error.cause, InvalidItem):
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                # Not later than when the coordinator heard of it; a call that waits for the disk says less.
                if method in ("join", "take"):
                    self._heard_at = sent_at
                return answer


class _Records(logging.Handler):
    """Keep the warnings and errors of the log until they are sent."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._records: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append((record.levelno, self.format(record)))

    def take(self) -> list[tuple[int, str]]:
        records, self._records = self._records, []
        return records
