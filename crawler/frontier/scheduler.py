"""Schedule the pages that are due: Scrapy's scheduler interface over the catalog."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.http import Request

from crawler.clock import now
from crawler.downloader.engine import active_hosts, count_unsettled, max_requests_per_host, wake
from crawler.frontier.open_crawl import OpenCrawl
from crawler.items import FoundPages
from crawler.signals import archive_opened
from crawler.urls import canonical

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_RESCAN_SECONDS = 60.0
"""Seconds between two checks for pages that have become due."""
MAX_UNSETTLED_PAGES = 32
"""Maximum of pages that are fetched and not stored yet: fewer leave readers idle; a kill repeats them."""
_SHORTEST_WAIT_SECONDS = 0.02
"""Seconds between two looks for a page that is due, while nothing is under way."""


class Frontier(BaseScheduler):
    """Give Scrapy a due page when its host has a free slot; keep the catalog open while the crawl runs.

    A request that is yielded for a page becomes a row; sitemaps and other requests with a callback of
    their own are kept in memory, as every run asks for them anew.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.in_memory: deque[Request] = deque()
        self.requests: Counter[str] = Counter()
        crawler.signals.connect(self._sent, signals.request_reached_downloader)
        self._scanned = 0.0
        self._is_open = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(crawler)

    def open(self, spider: Any) -> None:
        """Open the archive, where the spider's seeds become due pages.

        Raises AlsoreadError, OSError and sqlite3.Error.
        """
        self.spider = spider
        self.crawl = OpenCrawl(self.crawler.settings, spider.seeds, spider.pages, self.crawler.stats)
        self.crawler.signals.send_catch_log(archive_opened, catalog=self.crawl.catalog, frontier=self)
        self._is_open = True

    def close(self, reason: str) -> None:
        """Write the crawl's row and its alarms, and let go of the archive, if it is open."""
        if self._is_open:
            self._is_open = False
            self.crawl.close(reason, self.requests)

    def enqueue_request(self, request: Request) -> bool:
        """Make a page due in the catalog; keep any other request in memory."""
        if request.callback is None:
            self.crawl.catalog.add(FoundPages(pages=[(canonical(request.url), None)]))
        else:
            self.in_memory.append(request)
        return True

    def next_request(self) -> Request | None:
        """Return the next request; None if nothing is due or no host has a free slot."""
        if self.in_memory:
            return self.in_memory.popleft()
        if self.crawl.left <= 0:
            return None
        if count_unsettled(self.crawler) >= MAX_UNSETTLED_PAGES:
            return None
        busy = active_hosts(self.crawler)
        if not busy or monotonic() - self._scanned > _RESCAN_SECONDS:
            self._scanned = monotonic()
            self.crawl.due.rescan()
        most = max_requests_per_host(self.crawler)
        page = self.crawl.next_page(free=lambda host: busy[host] < most)
        if page is None:
            return None
        return request_for(self.spider, page.url, page.depth, self.crawl.validators(page))

    def has_pending_requests(self) -> bool:
        """Return whether something waits in memory, is due, or will be soon."""
        if self.in_memory:
            return True
        moment = self.crawl.next_due()
        if moment is None:
            return False
        # The engine would ask again in a few seconds; a page that was just found may be due in a millisecond.
        wake(self.crawler, max((moment - now()).total_seconds(), _SHORTEST_WAIT_SECONDS))
        return True

    def count_due(self, moment: str) -> dict[str, int]:
        """Count the pages by host that are due at a time, and within what the run may still fetch."""
        return self.crawl.count_due(moment)

    def finds_more(self) -> bool:
        """Return whether more pages will be found: sitemaps wait, or hosts that were not reached yet."""
        return bool(self.in_memory) or self.crawl.due.has_new_hosts()

    def sitemap_hosts(self) -> tuple[set[str], list[str]]:
        """Return the hosts whose sitemaps are fresh, and those to ask for theirs as the run begins."""
        return self.crawl.hosts_with_fresh_sitemaps(), self.crawl.known_hosts()

    def _sent(self, request: Request) -> None:
        self.requests[kind_of(request)] += 1


def kind_of(request: Request) -> str:
    """Return what a request is for: `page`, `robots` or `sitemap`."""
    return next((name for name in ("page", "robots") if request.meta.get(name)), "sitemap")


def request_for(spider: Any, url: str, depth: int, validators: Mapping[str, str | None]) -> Request:
    """Return the request for a page."""
    return Request(
        url,
        callback=spider.parse,
        errback=spider.failed,
        dont_filter=True,
        meta={"page": url, "depth": depth, **validators, "handle_httpstatus_all": True},
    )
