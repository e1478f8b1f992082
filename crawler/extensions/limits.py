"""When a run ends before its work is done: bytes or time are spent, the hours are quiet, the disk fills."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import CloseSpider
from scrapy.utils.asyncio import create_looping_call

from crawler.clock import now
from crawler.config.units import parse_quiet_hours

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

BYTES, TIME, QUIET, SPACE = "bytes", "time", "quiet", "space"
"""Outcomes of a run that met a limit. The next run goes on."""

_EVERY = 1.0
"""Seconds between two looks."""


class Limits:
    """Ends the crawl cleanly at the first limit that it meets; looks before the first request and every second."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.data = settings["ALSOREAD_DATA"]
        self.bytes = settings.getint("ALSOREAD_MAX_BYTES")
        self.seconds = settings.getfloat("ALSOREAD_MAX_SECONDS")
        self.floor = settings.getint("ALSOREAD_DISK_FREE")
        self.quiet = [parse_quiet_hours(hours) for hours in settings.getlist("ALSOREAD_QUIET_HOURS")]
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make one."""
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_opened(self) -> None:
        """Lets the crawl begin, or raises CloseSpider."""
        self._started = monotonic()
        self._looks = create_looping_call(self.look)
        if met := next(self.met(), None):
            raise CloseSpider(met)
        self._looks.start(_EVERY, now=False)

    def spider_closed(self) -> None:
        """Looks no more."""
        if self._looks.running:
            self._looks.stop()

    def look(self) -> None:
        """Ends the crawl where a limit is met. What is under way is finished."""
        if self._closing is None and (met := next(self.met(), None)):
            engine: Any = self.crawler.engine
            self._closing = asyncio.ensure_future(engine.close_spider_async(reason=met))

    def met(self) -> Iterator[str]:
        """The limits that are met at this moment, the gravest first."""
        free = shutil.disk_usage(self.data).free
        if free < self.floor:
            told = f"{free / 1e6:,.0f} MB are free, {self.floor / 1e6:,.0f} MB must stay"
            self.crawler.stats.set_value("archive/disk_space", told)
            yield SPACE
        if any(now() in hours for hours in self.quiet):
            yield QUIET
        if self.seconds and monotonic() - self._started >= self.seconds:
            yield TIME
        if self.bytes and self.crawler.stats.get_value("downloader/response_bytes", 0) >= self.bytes:
            yield BYTES
