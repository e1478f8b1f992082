"""Hold the archive of a crawl for its workers, and see to its limits and its end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

from scrapy.crawler import Crawler
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.log import configure_logging

from crawler.clock import now
from crawler.cluster.dispatch import Dispatch
from crawler.cluster.leases import Leases
from crawler.cluster.originals import Mark, put_mark, writes_records
from crawler.cluster.parts import EXCHANGE_SECONDS, Activity, Parts, Peer
from crawler.cluster.results import Results
from crawler.cluster.settings import settings_from
from crawler.cluster.wire import Packed, PackedRow, unpack, unpack_rows
from crawler.errors import UsageError
from crawler.extensions.errors import record_fault
from crawler.extensions.estimate import Pace, Queued
from crawler.extensions.limits import RunLimits
from crawler.extensions.logs import number_log, numbered
from crawler.extensions.sitemaps import UNREAD_SITEMAPS
from crawler.frontier.due import part_of
from crawler.frontier.open_crawl import RESCAN_SECONDS, OpenCrawl
from crawler.frontier.queue import Round
from crawler.frontier.remote import Claim, Report, Supply, Tally
from crawler.items import Outcome
from crawler.spiders.also_read import AlsoReadSpider
from pipelines.archive.alarms import Alarm
from pipelines.archive.warc import Original

logger = logging.getLogger(__name__)

_WATCH_SECONDS = 0.05
_LIMITS_SECONDS = 1.0
_LATE_SECONDS = 60.0
"""Seconds that results may wait, or the crawl be without a worker, before an alarm."""


class Coordinator:
    """The one process of a crawl that writes: an actor whose methods run in one event loop.

    A host is leased to one worker at a time. A page is handed out for one round; whatever comes for another is no
    news. What a worker had that is not heard of for the time of a lease, or that begins anew, is handed out again.
    """

    def __init__(
        self, settings: Mapping[str, Any], seeds: Sequence[str], seed_pages: Sequence[str], workers: int
    ) -> None:
        """`seeds` as they were given, `seed_pages` their addresses; `workers`: how many there will be."""
        self._values = dict(settings)
        self.settings = settings_from(settings)
        self._seeds, self._seed_pages, self._expected = seeds, seed_pages, workers
        self._lease_seconds = float(self.settings["ALSOREAD_LEASE_SECONDS"])
        self._leases = Leases(
            self.settings.getfloat("DOWNLOAD_DELAY"),
            2 * self.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"),
        )
        self._crawl: OpenCrawl | None = None
        self._parts: Parts | None = None
        self._tallies: dict[str, Tally] = {}
        self._supplies: dict[str, tuple[int, Supply]] = {}
        """The last supply of each incarnation of a worker, with the number of its call."""
        self._stopping: str | None = None
        self._ended: str | None = None
        self._idle_until = 0.0
        self._without_worker_since = monotonic()
        self._late: set[str] = set()
        self._pace = Pace()

    @cached_property
    def is_restarted(self) -> bool:
        """Return whether the process of this crawl's coordinator ended before."""
        return False

    def find_peers(self) -> Mapping[int, Peer]:
        """Return the coordinators of the other parts of the crawl that run, by their numbers."""
        return {}

    async def open(self) -> int:
        """Open the archive, and return the number of the crawl. Raises AlsoreadError, OSError and sqlite3.Error."""
        return self.crawl.catalog.crawl

    def _open(self) -> None:
        log = Path(self.settings["LOG_FILE"])
        data = Path(self.settings["ALSOREAD_DATA"])
        if not log.parent.is_dir():
            raise UsageError(
                f"{data} is not on the node of the cluster that the crawl was started on: start it where it is."
            )
        self.stats = MemoryStatsCollector(Crawler(AlsoReadSpider, self.settings))
        self._limits = RunLimits(self.settings, self.stats)
        crawl = OpenCrawl(self.settings, self._seeds, self._seed_pages, self.stats, resume=self.is_restarted)
        if log.exists():
            configure_logging(self.settings)
            number_log(log, crawl.catalog.crawl)
        else:
            self.settings.set("LOG_FILE", str(numbered(log, crawl.catalog.crawl)), priority="cmdline")
            configure_logging(self.settings)
        self._mark = put_mark(crawl.catalog) if writes_records(self.settings) else None
        self._results = Results(crawl, self._leases, self.stats, self._stop)
        self._dispatch = Dispatch(crawl, self._leases, self._results, self._seed_pages)
        self._opened_at = self._rescanned_at = self._limits_at = monotonic()
        self._crawl = crawl
        self._queued = Queued(crawl.count_due)
        self._stopping = next(self._limits.met(), None)
        self._tasks = [asyncio.create_task(self._repeat(self._look, _WATCH_SECONDS))]
        if part := part_of(self.settings):
            self._parts = Parts(
                part,
                crawl,
                self._leases,
                self._results,
                self.find_peers,
                start_seconds=self._lease_seconds,
                worker_seconds=_LATE_SECONDS,
            )
            self._tasks.append(asyncio.create_task(self._repeat(self._parts.exchange, EXCHANGE_SECONDS)))

    @property
    def crawl(self) -> OpenCrawl:
        """Return the crawl; it is opened anew where the process was."""
        if self._crawl is None:
            self._open()
        assert self._crawl  # noqa: S101
        return self._crawl

    async def admit(self, worker: str, program: str) -> tuple[dict[str, Any], list[str], Mark | None]:
        """Return the settings of a crawl, the addresses of its seeds, and the mark of the folder of WARC files.

        The mark is None if workers write none. Raises UsageError if the worker runs another version of alsoread.
        """
        if program != version("alsoread"):
            raise UsageError(
                f"Worker {worker} runs alsoread {program}, the crawl {version('alsoread')}: "
                "install the same version on every node."
            )
        await self.open()  # where this process began anew
        return self._values, list(self._seed_pages), self._mark

    async def join(self, name: str, incarnation: str, claim: Claim) -> bool:
        """Take a worker in, with what it has; return False if others have or had any of its hosts."""
        await self.open()  # where this process began anew
        return self._dispatch.join(name, incarnation, claim)

    async def take(
        self, name: str, incarnation: str, number: int, room: int, report: Report
    ) -> Supply | None:
        """Return pages for a worker, the same for the same `number`; None if it is not known, as after a restart."""
        worker = self._leases.workers.get(name)
        if worker is None or worker.incarnation != incarnation:
            return None
        worker.heard_at = monotonic()
        last, supply = self._supplies.get(incarnation, (0, None))
        if number == last:  # the answer was lost
            return supply
        self._note(name, incarnation, report)
        try:
            supply = self._supply(name, room)
        except Exception as error:
            supply = Supply([], [], [], is_over=True)
            self._give_up(error)
        self._supplies[incarnation] = number, supply
        return supply

    def _supply(self, name: str, room: int) -> Supply:
        if self._ended or self._stopping or self._is_settling_in():
            return Supply([], [], [], self._ended is not None)
        return self._dispatch.supply(name, room)

    async def begin(self, name: str, incarnation: str, url: str) -> None:  # noqa: ARG002
        """Note that a worker is about to send the request for a page over which others ended."""
        self._leases.begin(url, name)

    async def settle(
        self, name: str, incarnation: str, items: Sequence[tuple[Round | None, Packed]]
    ) -> list[str]:
        """Store items, each visit for its round, and return each one's kind of result."""
        await self._hear(name, incarnation)
        return await asyncio.gather(
            *(self._results.receive(round_, unpack(packed)) for round_, packed in items)
        )

    async def find_originals(
        self, name: str, incarnation: str, rows: Sequence[PackedRow]
    ) -> list[Original | None]:
        """Return for each response the record that has its payload already, if any has."""
        await self._hear(name, incarnation)
        return self._results.find_originals(unpack_rows(rows))

    async def _hear(self, name: str, incarnation: str) -> None:
        """Note that a worker is there, if it is still the one of this name."""
        await self.open()  # where this process began anew
        if (worker := self._leases.workers.get(name)) and worker.incarnation == incarnation:
            worker.heard_at = monotonic()

    async def receive(self, items: Sequence[Packed]) -> bool:
        """Store pages that another part of the crawl found; return False if this one does not run."""
        return await self._parts.receive(items) if self._parts else False

    async def quiet(self) -> Activity | None:
        """Return what this part of the crawl has done, if it has nothing to do; None otherwise."""
        return self._parts.quiet() if self._parts else None

    async def stop(self, reason: str) -> None:
        """Hand out no more pages, and end the crawl once those under way are stored."""
        self._stop(reason)

    def _stop(self, reason: str) -> None:
        self._stopping = self._stopping or reason

    async def status(self) -> dict[str, Any]:
        """Return what a person sees while it runs."""
        crawl, leases = self.crawl, self._leases
        finds_more = self._dispatch.is_reading_sitemaps or crawl.due.has_new_hosts()
        return {
            "crawl": crawl.catalog.crawl,
            "counts": dict(crawl.catalog.counts),
            "queued": {} if self._results.is_closed else self._queued.counts(),
            "growing": finds_more,
            "hosts": sorted(leases.owned),
            "delays": {name: host.delay for name, host in leases.hosts.items()},
            "workers": len(leases.workers),
            "pages_leased": len(leases.pages),
            "oldest_lease_seconds": leases.oldest_seconds,
            "rate": self._pace.rate,
            "results_waiting": len(self._results.waiting),
            "results_fenced": self._results.fenced,
            "ended": self._ended,
        }

    async def close(self, outcome: str) -> dict[str, Any]:
        """Write the end of the crawl, and return its statistics."""
        crawl = self.crawl
        self._results.close()
        self._ended = self._ended or outcome
        for task in self._tasks:
            task.cancel()
        requests: Counter[str] = Counter()
        for tally in self._tallies.values():
            requests.update(tally.requests)
        crawl.close(self._ended, requests, self._alarms())
        return {
            **self.stats.get_stats(),
            "elapsed_time_seconds": monotonic() - self._opened_at,
            "cluster/results_fenced": self._results.fenced,
            "cluster/workers_ended": len(self._dispatch.lost),
            "cluster/workers": len(self._leases.workers),
        }

    def _alarms(self) -> list[Alarm]:
        return [Alarm(kind="cluster", message=message) for message in sorted(self._late)]

    def _is_settling_in(self) -> bool:
        """Return whether workers may still have hosts and pages from before a restart."""
        if not self.is_restarted or monotonic() - self._opened_at > self._lease_seconds:
            return False
        return not 0 < self._expected <= len(self._leases.workers)

    def _note(self, name: str, incarnation: str, report: Report) -> None:
        """Note what a worker reports."""
        self._tallies[incarnation] = report.tally
        tallies = self._tallies.values()
        self.stats.set_value("downloader/response_bytes", sum(tally.received for tally in tallies))
        self.stats.set_value("spider_exceptions/count", sum(tally.broken for tally in tallies))
        unread = {host: urls for tally in tallies for host, urls in tally.unread.items()}
        self.stats.set_value(UNREAD_SITEMAPS, unread)
        for host, delay in report.delays.items():
            self._leases.host(host).delay = delay
        self._dispatch.release(name, report.released)
        for level, line in report.log:
            logging.getLogger(f"worker {name}").log(level, "%s", line)

    async def _repeat(self, act: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Do something as long as the crawl goes on; an error ends it, as nothing else would."""
        while not self._ended:
            await asyncio.sleep(seconds)
            try:
                await act()
            except Exception as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """End the crawl over an error after which leases may be wrong: some page might never be brought."""
        logger.error("The crawl can't go on", exc_info=error)
        self._ended = record_fault(self.stats, error)

    async def _look(self) -> None:
        """See to leases, limits and the end."""
        moment = monotonic()
        self._dispatch.expire(moment - self._lease_seconds)
        if moment > self._limits_at:
            self._limits_at = moment + _LIMITS_SECONDS
            self._stopping = self._stopping or next(self._limits.met(), None)
            self._look_for_delays(moment)
            self._pace.note(moment - self._opened_at, self.crawl.catalog.counts["pages"], 0)
        if moment - self._rescanned_at > RESCAN_SECONDS:
            self._rescanned_at = moment
            self.crawl.due.rescan()
        self._ended = self._outcome(moment)

    def _look_for_delays(self, moment: float) -> None:
        if self._leases.workers:
            self._without_worker_since = moment
        if moment - self._without_worker_since > _LATE_SECONDS:
            self._late.add(f"For over {_LATE_SECONDS:g} seconds the crawl had no worker.")
        if moment - min(self._results.waiting.values(), default=moment) > _LATE_SECONDS:
            self._late.add(f"Results waited for over {_LATE_SECONDS:g} seconds to be stored.")

    def _outcome(self, moment: float) -> str | None:
        """Return how the crawl has ended; None while it goes on."""
        if self._leases.pages or self._results.waiting:
            return None
        if self._stopping:
            return self._stopping
        if not self._dispatch.is_idle or moment < self._idle_until or self._is_settling_in():
            return None
        due = self.crawl.next_due()
        if due is None and (self._parts is None or self._parts.may_end()):
            return Outcome.FINISHED
        wait = (due - now()).total_seconds() if due else EXCHANGE_SECONDS
        self._idle_until = moment + max(wait, _WATCH_SECONDS)
        return None
