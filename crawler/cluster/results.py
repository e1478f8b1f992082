"""Store what the workers of a cluster bring: each page once, for the round that it was handed out for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import monotonic

from scrapy.statscollectors import StatsCollector

from crawler.cluster.leases import MOST_DEATHS, Leases
from crawler.extensions.errors import ends_crawl, reason_of, record_fault
from crawler.frontier.open_crawl import OpenCrawl
from crawler.frontier.queue import Round
from crawler.items import Visit
from pipelines.archive.records import Row, find_original
from pipelines.archive.store import Item
from pipelines.archive.warc import Original
from pipelines.validate import Validate

logger = logging.getLogger(__name__)

FENCED = "fenced"
"""The result of a visit whose page was stored meanwhile by another worker."""
CLOSED = "closed"
"""The result of an item that comes after the end of the crawl."""

FAULTY = "faulty"
"""The result of an item that can't be stored, and that is no visit: the log has the reason."""


class Results:
    """Store items in the catalog, and end the leases of their pages."""

    def __init__(
        self, crawl: OpenCrawl, leases: Leases, stats: StatsCollector, stop: Callable[[str], None]
    ) -> None:
        """`stop` is called with the outcome of a crawl that can store no more."""
        self._crawl, self._catalog = crawl, crawl.catalog
        self._leases, self._stats, self._stop = leases, stats, stop
        self._validate = Validate()
        self._validate.archive_opened(self._catalog)
        self.is_closed = False
        self.storing: set[str] = set()
        """Pages that are being stored."""
        self.waiting: dict[int, float] = {}
        """When each item came that is not stored yet."""
        self.received = 0
        """Items that came to be stored."""
        self.fenced = 0
        self._failing: set[asyncio.Task[str]] = set()

    def close(self) -> None:
        """Store nothing any more."""
        self.is_closed = True

    def round_of(self, url: str) -> Round | None:
        """Return the round of a page, as it is stored."""
        query = "SELECT fetched_at, attempts FROM pages WHERE url = ?"
        row = self._catalog.db.execute(query, [url]).fetchone()
        return tuple(row) if row else None

    async def receive(self, round_: Round | None, item: Item) -> str:
        """Store an item, a visit for its round, and return its kind of result."""
        if self.is_closed:
            return CLOSED
        if not isinstance(item, Visit):
            return await self._store(item)
        if item.url in self.storing or self.round_of(item.url) != round_:
            self.fenced += 1
            self._end_outdated_lease(item.url)
            return FENCED
        if not self._leases.is_out(item.url):  # its worker did not join anew yet
            self._crawl.count_handed_out()
        return await self._store(item)

    def find_originals(self, rows: Sequence[Row]) -> list[Original | None]:
        """Return for each response the record that has its payload already, if any has."""
        found = (find_original(self._catalog.db, row) for row in rows)
        return [original[1] if original else None for original in found]

    def fail(self, url: str) -> None:
        """Store that a page ended as many workers as may be."""
        reason = f"{MOST_DEATHS} workers ended while they had it"
        failing = asyncio.create_task(self._store(Visit(url=url, state="failed", reason=reason)))
        self._failing.add(failing)
        failing.add_done_callback(self._failing.discard)

    def _end_outdated_lease(self, url: str) -> None:
        """End the lease of a page for a round that is over."""
        page = self._leases.leased(url)
        if page and page.round != self.round_of(url):
            self._leases.end(url)

    async def _store(self, item: Item) -> str:
        """Store an item, and return its kind of result."""
        self.received += 1
        number = self.received
        self.waiting[number] = monotonic()
        url = item.url if isinstance(item, Visit) else None
        if url:
            self.storing.add(url)
        try:
            return await self._write(item)
        finally:
            del self.waiting[number]
            if url:
                self.storing.discard(url)
                self._leases.end(url)
                self._leases.forget_returned(url)

    async def _write(self, item: Item) -> str:
        try:
            return await self._catalog.write(self._validate.process_item(item))
        except Exception as error:
            if ends_crawl(error):
                self._stop(record_fault(self._stats, error))
                return CLOSED
            logger.exception("Storing %s failed", getattr(item, "url", "an item"))
            if not isinstance(item, Visit):
                return FAULTY
            failed = Visit(url=item.url, state="failed", reason=reason_of(error))
        try:
            return await self._catalog.write(failed)
        except Exception as error:
            self._stop(record_fault(self._stats, error))
            return CLOSED
