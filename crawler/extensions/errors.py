"""Record a page whose processing failed; end the run cleanly when the archive can't be written."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import signals
from twisted.python.failure import Failure

from crawler.items import Outcome, Visit
from crawler.signals import archive_opened
from crawler.workers.pool import Ended
from pipelines.archive.storage_errors import ends_run, is_damaged, outcome, verb_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.catalog import Catalog

_INTERNAL_ERROR = "internal error; see the log"


class ErrorHandling:
    """Store the failure of a page whose processing raised; end the crawl when the disk or the catalog failed."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._closing: asyncio.Future[None] | None = None
        self._settling: set[asyncio.Future[None]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        extension = cls(crawler)
        crawler.signals.connect(extension.archive_opened, archive_opened)
        crawler.signals.connect(extension.item_error, signals.item_error)
        crawler.signals.connect(extension.item_dropped, signals.item_dropped)
        crawler.signals.connect(extension.spider_error, signals.spider_error)
        return extension

    def archive_opened(self, catalog: Catalog) -> None:
        """Settle pages in this catalog."""
        self.catalog = catalog

    async def item_error(self, item: Any, failure: Failure) -> None:
        """Handle an exception in an item pipeline."""
        error = cast(Exception, failure.value)
        if ends_crawl(error):
            self._stop(error)
        elif isinstance(item, Visit):
            await self._settle(item.url, reason_of(error))

    async def item_dropped(self, item: Any, exception: BaseException) -> None:
        """Store a dropped page as failed: without a state it would be due for ever."""
        if isinstance(item, Visit):
            await self._settle(item.url, f"dropped by an item pipeline: {exception}")

    def spider_error(self, failure: Failure, response: Any) -> None:  # noqa: ARG002 - Scrapy logs it
        """Handle an exception in the spider."""
        if url := getattr(response, "meta", {}).get("page"):
            settling = asyncio.ensure_future(self._settle(url, _INTERNAL_ERROR))
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)

    def _stop(self, error: Exception) -> None:
        if self._closing is None:
            engine: Any = self.crawler.engine
            close = engine.close_spider_async(reason=record_fault(self.crawler.stats, error))
            self._closing = asyncio.ensure_future(close)

    async def _settle(self, url: str, reason: str) -> None:
        """Store that a page failed. Where not even that can be stored, the fault is not the page's."""
        try:
            await self.catalog.write(Visit(url=url, state="failed", reason=reason))
        except Ended:  # the run is closing; whatever else is to be stored meets a writer that died
            pass
        except Exception as error:
            self._stop(error)


def record_fault(stats: Any, error: Exception) -> Outcome:
    """Note in the statistics that the archive could not be written, and return the crawl's outcome."""
    reason = outcome(error) if isinstance(error, OSError | sqlite3.Error) else Outcome.DISK
    if isinstance(error, OSError) and error.filename:
        # Who is notified does not know the folder of this process.
        error = OSError(error.errno, error.strerror, str(Path(error.filename).absolute()))
    stats.set_value("archive/disk_error", str(error))
    stats.set_value("archive/stopped", reason)
    return reason


def ends_crawl(error: Exception) -> bool:
    """Return whether an error in storing an item is the archive's, so that no other could be stored."""
    return isinstance(error, Ended) or ends_run(error) or is_damaged(error)


def reason_of(error: BaseException) -> str:
    """Return why a page could not be stored: the system's error about its file, or a pointer to the log."""
    if isinstance(error, OSError) and error.strerror:
        return f"its file can't be {verb_of(error)}: {error.strerror}"
    return _INTERNAL_ERROR
