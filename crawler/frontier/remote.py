"""Schedule pages that a coordinator gives out: Scrapy's scheduler interface of a worker on a cluster."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from traceback import print_exception
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from scrapy.http import Request

from crawler.downloader.engine import (
    active_hosts,
    busy_hosts,
    count_unsettled,
    delay_of,
    hosts_of,
    max_requests_per_host,
    resting_hosts,
    wake,
)
from crawler.downloader.pace import gap_of
from crawler.extensions.sitemaps import UNREAD_SITEMAPS, SitemapDiscovery
from crawler.frontier.queue import Round
from crawler.frontier.requests import MAX_UNSETTLED_PAGES, PageScheduler
from crawler.frontier.turns import SharedTurns, Shares
from crawler.items import Exchange, FoundPages, Visit
from crawler.signals import archive_opened
from crawler.urls import host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

Item = Visit | FoundPages | Exchange

_POLL_SECONDS = 0.05
"""Seconds between two calls for pages while there are none."""
_REPORT_SECONDS = 0.3
"""Seconds between two calls while there are enough."""
_BATCH_SIZE = 8
"""Items that are sent at once."""
_BATCH_WAIT_SECONDS = 0.1
"""Seconds that the first item of a batch waits for others: calls cost more than items."""


class LeasedPage(NamedTuple):
    """A page that a worker is to fetch."""

    url: str
    depth: int
    etag: str | None
    last_modified: str | None
    round: Round
    is_suspect: bool
    """Whether other workers ended while they had it, so that the coordinator is told when it is requested."""


class Released(NamedTuple):
    """A host that a worker has done with, for now."""

    host: str
    delay: float
    """Seconds between two requests to it."""
    is_asked: bool
    """Whether its robots.txt was read, and the sitemaps that it names."""


class Claim(NamedTuple):
    """What a worker has when it joins: nothing, unless the coordinator was started anew."""

    hosts: list[str]
    pages: list[tuple[str, Round]]
    resting: Mapping[str, float]
    """Seconds until each host may be asked again that the worker has asked."""


class Tally(NamedTuple):
    """What a worker has counted since it began."""

    requests: dict[str, int]
    received: int
    """Bytes."""
    broken: int
    """Pages that met an internal error."""
    unread: dict[str, list[str]]
    """Sitemaps that could not be read whole, by host."""


class Report(NamedTuple):
    """What a worker says of itself as it asks for pages."""

    released: list[Released]
    delays: dict[str, float]
    """Seconds between two requests to each host that it holds."""
    tally: Tally
    log: list[tuple[int, str]]
    """New records of its log: level and line."""


class Supply(NamedTuple):
    """What a worker gets."""

    pages: list[LeasedPage]
    fresh: list[str]
    """Hosts among them whose sitemaps are not to be read."""
    ask: list[str]
    """Hosts whose robots.txt is to be read, for their sitemaps."""
    is_over: bool
    """Whether the crawl has ended."""


class Link(Shares, Protocol):
    """A worker's line to the coordinator. A call waits until it is answered."""

    async def join(self, claim: Claim) -> None:
        """Begin, or go on with what the worker has."""

    async def take(self, room: int, report: Report) -> Supply | None:
        """Return at most `room` pages; None if the coordinator does not know the worker."""

    async def begin(self, url: str) -> None:
        """Say that the request is sent for a page over which other workers ended."""

    async def settle(self, items: Sequence[tuple[Round | None, Item]]) -> list[str]:
        """Store items, each visit for its round, and return each one's kind of result."""

    @property
    def has_lease(self) -> bool:
        """Return whether the coordinator can't have given its hosts to others."""

    async def wait_for_lease(self) -> None:
        """Wait while the coordinator, which is not heard of, may have given its hosts to others."""

    def begin_anew(self) -> None:
        """End the process: its pages are handed out again."""

    def log_records(self) -> list[tuple[int, str]]:
        """Return the records of the log since the last call."""


class RemoteFrontier(PageScheduler):
    """Give Scrapy the pages that the coordinator leases to this worker, and report what it needs no more."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.fresh: set[str] = set()
        self.rounds: dict[str, Round] = {}
        """The pages that the worker has, until they are stored."""
        self._pages: deque[LeasedPage] = deque()
        """Those of them that were not requested yet."""
        self._held: set[str] = set()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._most_pages = crawler.settings.getint("CONCURRENT_REQUESTS") + MAX_UNSETTLED_PAGES
        self._has_room = asyncio.Event()
        self.is_over = False

    def open(self, spider: Any) -> None:
        """Begin to take pages by the spider's `link`."""
        self.spider = spider
        self.link: Link = spider.link
        self.turns = SharedTurns(self.link, gap_of(self.crawler.settings))
        self.catalog = RemoteCatalog(self)
        self.crawler.signals.send_catch_log(archive_opened, catalog=self.catalog, frontier=self)
        self._supplying = asyncio.ensure_future(self._supply())
        self._supplying.add_done_callback(self.check_task)

    def close(self, reason: str) -> None:  # noqa: ARG002
        """Take no more."""
        self._supplying.cancel()

    def add(self, found: FoundPages) -> None:
        """Have pages made due by the coordinator."""
        self.catalog.write(found)

    def check_task(self, task: asyncio.Task[None]) -> None:
        """End the process if a task failed without which the worker would keep its pages for ever."""
        if not task.cancelled() and (error := task.exception()):
            print_exception(error)  # in the log that Ray keeps: the coordinator's is out of reach
            self.link.begin_anew()

    def next_request(self) -> Request | None:
        """Return the next request; None if there is no page, or no host has a free slot."""
        if self.in_memory:
            return self.in_memory.popleft()
        if count_unsettled(self.crawler) >= MAX_UNSETTLED_PAGES:
            return None
        busy = active_hosts(self.crawler)
        most = max_requests_per_host(self.crawler)
        for _ in range(len(self._pages)):
            page = self._pages.popleft()
            if busy[host_of(page.url)] < most:
                validators = {"etag": page.etag, "last_modified": page.last_modified}
                request = self.request_for(page.url, page.depth, validators)
                request.meta["is_suspect"] = page.is_suspect
                return request
            self._pages.append(page)
        return None

    def has_pending_requests(self) -> bool:
        """Return whether the crawl goes on."""
        return not self.is_over

    def sitemap_hosts(self) -> tuple[set[str], list[str]]:
        """Return the hosts whose sitemaps are not to be read; the coordinator tells more of them with its pages."""
        return self.fresh, []

    def done(self, url: str) -> None:
        """Count a page as stored."""
        self.rounds.pop(url, None)
        if len(self.rounds) <= self._most_pages // 2:
            self._has_room.set()

    async def _supply(self) -> None:
        """Take pages as long as the crawl goes on."""
        await self.link.join(Claim([], [], {}))
        while not self.is_over:
            self._has_room.clear()
            room = self._most_pages - len(self.rounds)
            supply = await self.link.take(room, self._report())
            if supply is None:
                resting = resting_hosts(self.crawler)
                await self.link.join(Claim(sorted(self._held), list(self.rounds.items()), resting))
                continue
            self._receive(supply)
            if 2 * len(supply.pages) < room:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                await _wait(self._has_room, _REPORT_SECONDS)

    def _receive(self, supply: Supply) -> None:
        self.fresh.update(supply.fresh)
        self._held.update(host_of(page.url) for page in supply.pages)
        self.rounds.update((page.url, page.round) for page in supply.pages)
        self._pages.extend(supply.pages)
        discovery: Any = self.crawler.get_extension(SitemapDiscovery)
        for host in supply.ask:
            self._held.add(host)
            self._asking[host] = asyncio.ensure_future(discovery.ask(host))
        self.is_over = supply.is_over
        if supply.pages or supply.is_over:
            wake(self.crawler, 0)

    def _report(self) -> Report:
        discovery: Any = self.crawler.get_extension(SitemapDiscovery)
        self._asking = {host: task for host, task in self._asking.items() if not task.done()}
        busy = busy_hosts(self.crawler) | self._asking.keys() | set(map(host_of, self.rounds))
        for request in self.in_memory:
            busy |= hosts_of(request)
        released = [
            Released(host, delay_of(self.crawler, host), host in discovery.asked)
            for host in self._held - busy
        ]
        self._held &= busy
        stats: Any = self.crawler.stats
        return Report(
            released,
            {host: delay_of(self.crawler, host) for host in self._held},
            Tally(
                dict(self.requests),
                stats.get_value("downloader/response_bytes", 0),
                stats.get_value("spider_exceptions/count", 0),
                stats.get_value(UNREAD_SITEMAPS, {}),
            ),
            self.link.log_records(),
        )


class RemoteCatalog:
    """Store items by the coordinator, some at a time."""

    def __init__(self, frontier: RemoteFrontier) -> None:
        self._frontier = frontier
        self._waiting: list[tuple[Item, asyncio.Future[str]]] = []
        self._enough = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    def write(self, item: Item) -> asyncio.Future[str]:
        """Send an item. The future has its result once it is committed."""
        stored: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, stored))
        if len(self._waiting) == 1:
            sending = asyncio.create_task(self._send())
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
            sending.add_done_callback(self._frontier.check_task)
        elif len(self._waiting) >= _BATCH_SIZE:
            self._enough.set()
        return stored

    async def _send(self) -> None:
        await _wait(self._enough, _BATCH_WAIT_SECONDS)
        self._enough.clear()
        batch, self._waiting = self._waiting, []
        rounds = self._frontier.rounds
        items = [(rounds.get(item.url) if isinstance(item, Visit) else None, item) for item, _ in batch]
        results = await self._frontier.link.settle(items)
        for (item, stored), result in zip(batch, results, strict=True):
            if isinstance(item, Visit):
                self._frontier.done(item.url)
            if not stored.cancelled():
                stored.set_result(result)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, for so many seconds at most."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
