"""End a run early: bytes or time are spent, the hours are quiet, or the disk is nearly full."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import CloseSpider
from scrapy.settings import BaseSettings
from scrapy.utils.asyncio import create_looping_call

from crawler.clock import now
from crawler.config.units import parse_quiet_hours
from crawler.items import Outcome

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_CHECK_SECONDS = 1.0


class RunLimits:
    """The limits of a run that begins now."""

    def __init__(self, settings: BaseSettings, stats: Any) -> None:
        self._stats = stats
        self._started = monotonic()
        self.data = settings["ALSOREAD_DATA"]
        self.bytes = settings.getint("ALSOREAD_MAX_BYTES")
        self.seconds = settings.getfloat("ALSOREAD_MAX_SECONDS")
        self.floor = settings.getint("ALSOREAD_DISK_FREE")
        self.quiet = [parse_quiet_hours(hours) for hours in settings.getlist("ALSOREAD_QUIET_HOURS")]

    def met(self) -> Iterator[Outcome]:
        """Yield the limits that are met now, the most serious first."""
        free = shutil.disk_usage(self.data).free
        if free < self.floor:
            message = f"{free / 1e6:,.0f} MB are free, {self.floor / 1e6:,.0f} MB must stay"
            self._stats.set_value("archive/disk_space", message)
            yield Outcome.SPACE
        if any(now() in hours for hours in self.quiet):
            yield Outcome.QUIET
        if self.seconds and monotonic() - self._started >= self.seconds:
            yield Outcome.TIME
        if self.bytes and self._stats.get_value("downloader/response_bytes", 0) >= self.bytes:
            yield Outcome.BYTES


class Limits:
    """End the crawl cleanly at the first limit that is met; checks before the first request and every second."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_opened(self) -> None:
        """Start the checks. Raises CloseSpider where a limit is met already."""
        self._limits = RunLimits(self.crawler.settings, self.crawler.stats)
        self._checks = create_looping_call(self.check)
        if met := next(self._limits.met(), None):
            raise CloseSpider(met)
        self._checks.start(_CHECK_SECONDS, now=False)

    def spider_closed(self) -> None:
        """Stop the checks."""
        if self._checks.running:
            self._checks.stop()

    def check(self) -> None:
        """End the crawl if a limit is met. Pages under way are finished."""
        if self._closing is None and (met := next(self._limits.met(), None)):
            engine: Any = self.crawler.engine
            self._closing = asyncio.ensure_future(engine.close_spider_async(reason=met))
