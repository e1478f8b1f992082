"""Run one spider in this process, to its end or until signals stop it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from scrapy import Spider, signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from crawler import shutdown
from crawler.errors import Interrupted
from crawler.items import Outcome

_GRACE_SECONDS = 5.0
"""How long an interrupted run waits for responses under way: `docker stop` kills after ten seconds."""

logger = logging.getLogger(__name__)


def run(
    spider: type[Spider],
    settings: Settings,
    scraped: Callable[[], None] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Run a spider to its end, and return its statistics. `scraped` is called for every item.

    Raises what kept it from beginning, which may be a signal.
    """
    if shutdown.is_asked():
        raise _interrupted()
    return _Run(spider, settings, scraped, arguments).finish()


class _Run:
    """A spider's run in a reactor of its own, with signal handlers in the place of Scrapy's.

    Those can't end a run that is starting or closing, and leave what a run holds open.
    """

    def __init__(
        self,
        spider: type[Spider],
        settings: Settings,
        scraped: Callable[[], None] | None,
        arguments: dict[str, Any],
    ) -> None:
        self._process = AsyncCrawlerProcess(settings)
        self._crawler = self._process.create_crawler(spider)
        connect = self._crawler.signals.connect
        connect(self._on_started, signals.engine_started)
        connect(self._on_closed, signals.spider_closed)
        if scraped:
            connect(scraped, signals.item_scraped)
        from twisted.internet import reactor  # the process has installed it

        self._reactor: Any = reactor
        self._asked = self._started = self._closed = False
        self._cut: str | None = None
        self._closing: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] = self._process.crawl(self._crawler, **arguments)

    def finish(self) -> dict[str, Any]:
        """Run it to its end, and return its statistics."""
        call = self._task.get_loop().call_soon_threadsafe
        with shutdown.steps(lambda: call(self._ask), lambda: call(self._cut_short, Outcome.FORCED)):
            self._process.start(install_signal_handlers=False)
            if not self._task.done():
                self._close()
        if self._task.done() and (error := self._task.exception()):
            raise error
        assert self._crawler.stats is not None  # noqa: S101
        return self._crawler.stats.get_stats()

    def _ask(self) -> None:
        """End the run once the answers under way are stored, but do not wait for them for long."""
        logger.info("Interrupted: what is under way is finished. A second signal stops at once.")
        self._asked = True
        if self._started:
            self._end_well()
        self._task.get_loop().call_later(_GRACE_SECONDS, self._cut_short, Outcome.SHUTDOWN)

    def _cut_short(self, outcome: str) -> None:
        """Leave the loop where it stands; a run that is starting must first be whole, as only such a one closes."""
        self._cut = self._cut or outcome
        if self._started and not self._task.done():
            self._reactor.crash()

    def _on_started(self) -> None:
        self._started = True
        if self._cut:
            self._reactor.crash()
        elif self._asked:
            self._end_well()

    def _on_closed(self) -> None:
        self._closed = True

    def _end_well(self) -> None:
        engine: Any = self._crawler.engine
        if engine.spider:  # else the run has just ended by itself
            self._closing = asyncio.ensure_future(engine.close_spider_async(reason=Outcome.SHUTDOWN))

    def _close(self) -> None:
        """Close what Scrapy did not get to: the catalog, the processes, the display."""
        if not self._closed:
            engine: Any = self._crawler.engine
            engine.scheduler.close(self._cut)
            self._crawler.signals.send_catch_log(
                signals.spider_closed, spider=self._crawler.spider, reason=self._cut
            )


def _interrupted() -> Interrupted:
    return Interrupted("Interrupted before anything was fetched; run the same command again.")
