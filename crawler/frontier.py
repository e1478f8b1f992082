"""The frontier: Scrapy's scheduler interface over the catalog. It answers one question: what is due?"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from scrapy import signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.http import Request
from scrapy.utils.httpobj import urlparse_cached

from crawler.clock import now
from crawler.items import Found, iso
from crawler.urls import canonical
from pipelines.catalog import Catalog
from pipelines.errors import ArchiveError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

_BATCH = 32
"""Pages of one host that are held in memory."""
_RESCAN = 60.0
"""Seconds after which hosts are asked again for pages that time has made due."""
_LOOK = 0.5
"""Seconds after which the catalog is asked for new pages, so that a host with none yet waits no longer."""
_BOTTOMLESS = 2**31
_PATIENCE = timedelta(seconds=90)
"""How long a run waits for the next try of a failed page, or for a host that asked to be left alone."""


class Page(NamedTuple):
    """A due page, as the catalog has it."""

    id: int
    url: str
    depth: int
    due_at: str
    etag: str | None
    last_modified: str | None


_FRONT = ("", -1, -1)
_DUE = "FROM pages WHERE host = ? AND due_at <= ? AND (due_at, depth, id) > (?, ?, ?) AND depth <= ?"
_NEVER_FETCHED = " AND fetched_at IS NULL"


@dataclass(slots=True)
class _Host:
    queue: deque[Page] = field(default_factory=deque)
    after: tuple[str, int, int] = _FRONT
    """The due time, depth and id of the last page that was taken: the queue only goes forward."""
    maybe_more: bool = True
    not_before: str = ""


class DuePages:
    """What is due in a catalog, host by host in turn. Reads only; memory does not grow with the catalog."""

    def __init__(
        self, path: Path, wanted: Callable[[str], bool], max_depth: int, *, only_new: bool = False
    ) -> None:
        """`wanted` tells hosts; `only_new`: only pages that were never fetched."""
        self.due = _DUE + _NEVER_FETCHED * only_new
        self.db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        self.wanted = wanted
        self.max_depth = max_depth
        self.hosts: dict[str, _Host] = {}
        self._turn: deque[str] = deque()
        self._unwanted: set[str] = set()
        self._newest = 0
        self._version = -1
        self._looked = 0.0
        self.rescan()

    def next(self, now: str, free: Callable[[str], bool]) -> Page | None:
        """The next due page of the next host that is free to take one."""
        if monotonic() - self._looked > _LOOK:
            self._look_for_changes()
        page = self._next_known(now, free)
        if page is None:
            self._look_for_changes()
            page = self._next_known(now, free)
        return page

    def _next_known(self, now: str, free: Callable[[str], bool]) -> Page | None:
        for _ in range(len(self._turn)):
            name = self._turn[0]
            self._turn.rotate(-1)
            host = self.hosts[name]
            if host.not_before > now or not free(name):
                continue
            if not host.queue and host.maybe_more:
                self._refill(name, host, now)
            if host.queue:
                return host.queue.popleft()
        return None

    def rescan(self) -> None:
        """Looks again at every host that has pages with a due time, as time may have come for some."""
        # One step in the index a host, however many pages it has.
        self._expect_more(
            """WITH RECURSIVE step(host) AS (
                 SELECT min(host) FROM pages WHERE due_at IS NOT NULL
                 UNION ALL
                 SELECT (SELECT min(host) FROM pages WHERE due_at IS NOT NULL AND host > step.host)
                 FROM step WHERE step.host IS NOT NULL)
               SELECT host FROM step WHERE host IS NOT NULL"""
        )
        self._newest = self.db.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()[0]

    def restart(self, until: str) -> bool:
        """Begins again at the front of every queue. Returns whether any page is due by `until`.

        Only for a moment when no page is being fetched: it would be handed out twice.
        """
        self.rescan()
        for host in self.hosts.values():
            host.after = _FRONT
            host.queue.clear()
        return any(
            host.not_before <= until and self._select(name, host, until, 1)
            for name, host in self.hosts.items()
        )

    def count(self, now: str) -> int:
        """How many pages are due."""
        return sum(
            self.db.execute(f"SELECT count(*) {self.due}", self._values(name, _FRONT, now)).fetchone()[0]
            for name in self.hosts
        )

    def close(self) -> None:
        """Lets go of the catalog."""
        self.db.close()

    def _look_for_changes(self) -> None:
        self._looked = monotonic()
        version = self.db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        self._version = version
        self._expect_more("SELECT DISTINCT host FROM pages WHERE id > ?", self._newest)
        self._newest = self.db.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()[0]
        for name, until in self.db.execute("SELECT host, not_before FROM hosts WHERE not_before IS NOT NULL"):
            if name in self.hosts:
                self.hosts[name].not_before = until

    def _expect_more(self, query: str, *values: int) -> None:
        for (name,) in self.db.execute(query, values).fetchall():
            if name in self.hosts:
                self.hosts[name].maybe_more = True
            elif name in self._unwanted:
                continue
            elif self.wanted(name):
                self.hosts[name] = _Host()
                self._turn.append(name)
            else:
                self._unwanted.add(name)

    def _refill(self, name: str, host: _Host, now: str) -> None:
        pages = self._select(name, host, now, _BATCH)
        host.queue.extend(pages)
        host.maybe_more = len(pages) == _BATCH
        if pages:
            host.after = (pages[-1].due_at, pages[-1].depth, pages[-1].id)

    def _select(self, name: str, host: _Host, until: str, limit: int) -> list[Page]:
        query = f"SELECT {', '.join(Page._fields)} {self.due} ORDER BY due_at, depth, id LIMIT {limit}"
        return [Page(*row) for row in self.db.execute(query, self._values(name, host.after, until))]

    def _values(self, name: str, after: tuple[str, int, int], until: str) -> tuple[str | int, ...]:
        return (name, until, *after, self.max_depth)


class Frontier(BaseScheduler):
    """Hands Scrapy one due page as a place is free for its host; holds the catalog while the crawl runs.

    A request that is yielded for a page becomes a row; sitemaps and other requests with a callback of
    their own are kept in memory, as every run asks for them anew.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.settings: BaseSettings = crawler.settings
        self.in_memory: deque[Request] = deque()
        self.left = self.settings.getint("ALSOREAD_MAX_PAGES", _BOTTOMLESS)
        self.handed_out = 0
        self.requests: Counter[str] = Counter()
        crawler.signals.connect(self._sent, signals.request_reached_downloader)
        self._scanned = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make one."""
        return cls(crawler)

    def open(self, spider: Any) -> None:
        """Opens the archive, where the spider's seeds become due pages. Raises ArchiveError."""
        self.spider = spider
        path = Path(self.settings["ALSOREAD_DATA"]) / "archive.db"
        recrawl = self.settings["ALSOREAD_RECRAWL"]
        self.catalog = Catalog(
            path,
            scope=self.settings.getlist("ALSOREAD_SCOPE"),
            retry_delays=self.settings.getlist("ALSOREAD_RETRY_DELAYS"),
            host_failures=self.settings["ALSOREAD_HOST_FAILURES"],
            seeds=self.spider.seeds,
            options={name: self.settings[name] for name in _OPTIONS},
        )
        self.due = DuePages(
            path,
            self.wanted,
            max_depth=self.settings.getint("ALSOREAD_MAX_DEPTH", _BOTTOMLESS),
            only_new=recrawl == "none",
        )
        try:
            self.catalog.add(Found(pages=[(url, None) for url in self.spider.pages], asked_for=True))
            failed = self.settings.getbool("ALSOREAD_RETRY_FAILED")
            self.catalog.make_due(self.wanted, failed=failed, everything=recrawl == "all")
        except (OSError, sqlite3.OperationalError) as error:
            message = f"{path} can't be written: {error}. Make room, or use another --data."
            raise ArchiveError(message, 6) from None

    def close(self, reason: str) -> None:
        """Writes the crawl's row and lets go of the archive."""
        stats = self.crawler.stats
        self.due.close()
        self.catalog.close(reason, self.requests, stats.get_value("downloader/response_bytes", 0))
        if reason == "finished":
            stats.set_value("archive/unsettled", self.handed_out - self.catalog.counts["pages"])

    def enqueue_request(self, request: Request) -> bool:
        """A page becomes a row that is due; anything else waits in memory."""
        if request.callback is None:
            self.catalog.add(Found(pages=[(canonical(request.url), None)]))
        else:
            self.in_memory.append(request)
        return True

    def next_request(self) -> Request | None:
        """What to fetch next, or None where nothing is due or no host is free."""
        if self.in_memory:
            return self.in_memory.popleft()
        if self.left == 0:
            return None
        engine: Any = self.crawler.engine
        downloader, reading = engine.downloader, engine.scraper.slot
        under_way = len(downloader.active) + len(reading.queue) + len(reading.active)
        if under_way >= downloader.total_concurrency:  # more would only be fetched again after a kill
            return None
        if not downloader.active or monotonic() - self._scanned > _RESCAN:
            self._scanned = monotonic()
            self.due.rescan()
        busy = Counter(urlparse_cached(request).hostname for request in downloader.active)
        page = self.due.next(iso(now()), free=lambda host: busy[host] < downloader.domain_concurrency)
        if page is None:
            return None
        self.left -= 1
        self.handed_out += 1
        return self._request(page)

    def has_pending_requests(self) -> bool:
        """Whether the crawl should go on: something waits in memory, is due, or will be soon."""
        if self.in_memory:
            return True
        if self.left == 0:
            return False
        return self.due.restart(until=iso(now() + _PATIENCE))

    def wanted(self, host: str) -> bool:
        """Whether pages of the host are fetched."""
        patterns = self.settings.getlist("ALSOREAD_HOSTS")
        return not patterns or any(fnmatch(host, pattern) for pattern in patterns)

    def _sent(self, request: Request) -> None:
        kind = next((name for name in ("page", "robots") if request.meta.get(name)), "sitemap")
        self.requests[kind] += 1

    def _request(self, page: Page) -> Request:
        return Request(
            page.url,
            callback=self.spider.parse,
            errback=self.spider.failed,
            dont_filter=True,
            meta={
                "page": page.url,
                "depth": page.depth,
                "etag": page.etag,
                "last_modified": page.last_modified,
                "handle_httpstatus_all": True,
            },
        )


_OPTIONS = (
    "ALSOREAD_DISCOVER",
    "ALSOREAD_HOSTS",
    "ALSOREAD_MAX_DEPTH",
    "ALSOREAD_MAX_PAGES",
    "ALSOREAD_CONNECT_TO",
    "ALSOREAD_RECRAWL",
    "ALSOREAD_RETRY_FAILED",
)
