"""What the schedulers of one process and of a worker on a cluster share: requests for pages, and those in memory."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.http import Request

from crawler.items import FoundPages
from crawler.urls import canonical

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

MAX_UNSETTLED_PAGES = 32
"""Maximum of pages that are fetched and not stored yet: fewer leave readers idle; a kill repeats them."""


class PageScheduler(BaseScheduler):
    """Schedule pages that something else remembers.

    A request that is yielded for a page is handed on; sitemaps and other requests with a callback of their own are
    kept in memory, as every run asks for them anew.
    """

    spider: Any

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.in_memory: deque[Request] = deque()
        self.requests: Counter[str] = Counter()
        """Requests that were sent, by what they were for."""
        crawler.signals.connect(self._sent, signals.request_reached_downloader)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(crawler)

    @abstractmethod
    def add(self, found: FoundPages) -> None:
        """Have pages made due in the catalog."""

    def enqueue_request(self, request: Request) -> bool:
        """Hand a page on; keep any other request in memory."""
        if request.callback is None:
            self.add(FoundPages(pages=[(canonical(request.url), None)]))
        else:
            self.in_memory.append(request)
        return True

    def request_for(self, url: str, depth: int, validators: Mapping[str, str | None]) -> Request:
        """Return the request for a page."""
        return Request(
            url,
            callback=self.spider.parse,
            errback=self.spider.failed,
            dont_filter=True,
            meta={"page": url, "depth": depth, **validators, "handle_httpstatus_all": True},
        )

    def _sent(self, request: Request) -> None:
        kind = next((name for name in ("page", "robots") if request.meta.get(name)), "sitemap")
        self.requests[kind] += 1
