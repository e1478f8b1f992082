"""Send each request in its turn: Scrapy's downloader under one rate for all hosts."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from scrapy import Request
from scrapy.core.downloader import Downloader, Slot
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.utils.httpobj import urlparse_cached

from crawler.downloader.engine import after_writing
from crawler.signals import archive_opened


class Turns:
    """Give one turn after another, so many seconds apart. First come, first served."""

    def __init__(self, gap: float) -> None:
        """`gap`: seconds from the moment that one turn is used to the next; 0 for no limit."""
        self.gap = gap
        self.next = 0.0
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for a turn, to be used at once."""
        if self.gap:
            await self._queue.acquire()
            await self.begin()
            after_writing(self._end)

    async def begin(self) -> None:
        """Wait until the next turn begins."""
        await asyncio.sleep(self.next - monotonic())

    def used(self) -> None:
        """Count the time to the next turn from now on."""
        self.next = monotonic() + self.gap

    def _end(self) -> None:
        self.used()
        self._queue.release()


class PacedDownloader(Downloader):
    """Send ALSOREAD_RATE requests a second over all hosts at most: one content network serves them all.

    A request has its turn once its host's delay is over: a turn before that would say nothing of when it is sent.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._turns = Turns(gap_of(crawler.settings))
        self._waiting: set[Slot] = set()
        """Hosts with a request that waits for its turn: their delay counts from there."""

    def _process_queue(self, slot: Slot) -> None:
        if slot not in self._waiting:
            super()._process_queue(slot)

    async def _download(self, slot: Slot, request: Request) -> Response:
        slot.transferring.add(request)  # as Scrapy does: it takes the place of its host while it waits
        # A handler is made at its first use, which takes a while: not in a turn.
        self.handlers._get_handler(urlparse_cached(request).scheme)
        self._waiting.add(slot)
        try:
            await self._turn()
        finally:
            self._waiting.discard(slot)
            slot.lastseen = monotonic()
            self._process_queue(slot)
        return await super()._download(slot, request)

    async def _turn(self) -> None:
        await self._turns.turn()


class LeasedDownloader(PacedDownloader):
    """The downloader of a worker on a cluster: under the rate of all workers, and only while its lease holds."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        crawler.signals.connect(self.archive_opened, archive_opened)

    def archive_opened(self, frontier: Any) -> None:
        """Take turns from this frontier, and hold a lease by it."""
        self._frontier = frontier

    async def _download(self, slot: Slot, request: Request) -> Response:
        if request.meta.get("is_suspect"):
            await self._frontier.link.begin(request.meta["page"])
        return await super()._download(slot, request)

    async def _turn(self) -> None:
        link = self._frontier.link
        while True:
            await link.wait_for_lease()
            await self._frontier.turns.turn()
            if link.has_lease:  # it may have ended while the request waited for its turn
                return


def gap_of(settings: BaseSettings) -> float:
    """Return the seconds between two requests to any hosts; 0 for no limit."""
    rate = float(settings["ALSOREAD_RATE"] or 0)
    return 1 / rate if rate else 0.0
