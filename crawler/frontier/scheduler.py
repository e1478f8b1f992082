"""Schedule the pages that are due: Scrapy's scheduler interface over the catalog."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy.http import Request

from crawler.clock import now
from crawler.downloader.engine import active_hosts, count_unsettled, max_requests_per_host, wake
from crawler.frontier.open_crawl import RESCAN_SECONDS, OpenCrawl
from crawler.frontier.requests import MAX_UNSETTLED_PAGES, PageScheduler
from crawler.items import FoundPages
from crawler.signals import archive_opened

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_SHORTEST_WAIT_SECONDS = 0.02
"""Seconds between two looks for a page that is due, while nothing is under way."""


class Frontier(PageScheduler):
    """Give Scrapy a due page when its host has a free slot; keep the catalog open while the crawl runs."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._scanned = 0.0
        self._is_open = False

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

    def add(self, found: FoundPages) -> None:
        """Make pages due in the catalog, at once."""
        self.crawl.catalog.add(found)

    def next_request(self) -> Request | None:
        """Return the next request; None if nothing is due or no host has a free slot."""
        if self.in_memory:
            return self.in_memory.popleft()
        if self.crawl.left <= 0:
            return None
        if count_unsettled(self.crawler) >= MAX_UNSETTLED_PAGES:
            return None
        busy = active_hosts(self.crawler)
        if not busy or monotonic() - self._scanned > RESCAN_SECONDS:
            self._scanned = monotonic()
            self.crawl.due.rescan()
        most = max_requests_per_host(self.crawler)
        page = self.crawl.next_page(free=lambda host: busy[host] < most)
        if page is None:
            return None
        return self.request_for(page.url, page.depth, self.crawl.validators(page))

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
