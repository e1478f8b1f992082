"""What happens when a part of the crawl breaks: the page says so, and a full disk ends the run cleanly."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from twisted.python.failure import Failure

from crawler.items import Visit
from crawler.process import Ended

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

DISK = "disk"
"""The outcome of a crawl that could not write any more."""
_BROKE = "alsoread broke over this page: see the log"


class Failsafe:
    """Settles the page that a pipeline or the spider broke over; ends the crawl when the disk broke."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make one."""
        extension = cls(crawler)
        crawler.signals.connect(extension.item_error, signals.item_error)
        crawler.signals.connect(extension.item_dropped, signals.item_dropped)
        crawler.signals.connect(extension.spider_error, signals.spider_error)
        return extension

    def item_error(self, item: Any, failure: Failure) -> None:
        """A pipeline raised."""
        if isinstance(failure.value, OSError | sqlite3.OperationalError | Ended):
            self._stop(failure.value)
        elif isinstance(item, Visit):
            self._write(item.url, _BROKE)

    def item_dropped(self, item: Any, exception: BaseException) -> None:
        """A pipeline would not have it: without a state its page would be due for ever."""
        if isinstance(item, Visit):
            self._write(item.url, f"dropped on its way into the archive: {exception}")

    def spider_error(self, failure: Failure, response: Any) -> None:  # noqa: ARG002 - Scrapy logs it
        """The spider raised."""
        if url := getattr(response, "meta", {}).get("page"):
            self._write(url, _BROKE)

    def _stop(self, error: Exception) -> None:
        if self._closing is None:
            engine: Any = self.crawler.engine
            self.crawler.stats.set_value("archive/disk_error", str(error))
            close = engine.close_spider_async(reason=DISK)
            self._closing = asyncio.ensure_future(close)

    def _write(self, url: str, reason: str) -> None:
        engine: Any = self.crawler.engine
        engine.scheduler.catalog.write(Visit(url=url, state="failed", reason=reason))
