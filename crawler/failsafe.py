"""What happens when a part of the crawl breaks: the page says so, and a full disk ends the run cleanly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import signals
from twisted.python.failure import Failure

from crawler.items import Visit
from crawler.process import Ended
from pipelines.faults import ends_run, is_locked

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

DISK, LOCKED = "disk", "locked"
"""The outcomes of a crawl that could not write any more: the disk, or another program."""
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
        error = cast(Exception, failure.value)
        if isinstance(error, Ended) or ends_run(error):
            self._stop(error)
        elif isinstance(item, Visit):
            self._write(item.url, _reason(error))

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
            reason = LOCKED if is_locked(error) else DISK
            self.crawler.stats.set_value("archive/disk_error", str(error))
            self.crawler.stats.set_value("archive/stopped", reason)
            close = engine.close_spider_async(reason=reason)
            self._closing = asyncio.ensure_future(close)

    def _write(self, url: str, reason: str) -> None:
        engine: Any = self.crawler.engine
        engine.scheduler.catalog.write(Visit(url=url, state="failed", reason=reason))


def _reason(error: BaseException) -> str:
    """Why a page could not be stored: what the system says of its file, or that the log says it."""
    if isinstance(error, OSError) and error.strerror:
        return f"its file can't be written: {error.strerror}"
    return _BROKE
