"""Schedule the pages that are due: Scrapy's scheduler interface over the catalog."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.http import Request

from crawler.clock import now
from crawler.downloader.engine import active_hosts, count_unsettled, max_requests_per_host, wake
from crawler.extensions.errors import record_fault
from crawler.extensions.sitemaps import UNREAD_SITEMAPS
from crawler.frontier.budgets import leave_pages
from crawler.frontier.due import max_pages, open_queue, wanted_hosts
from crawler.frontier.queue import Page
from crawler.items import FoundPages, Outcome, iso
from crawler.signals import archive_opened
from crawler.text import counted
from crawler.urls import canonical
from pipelines.alarms.run import hosts_to_judge, judge_run
from pipelines.archive import revisit
from pipelines.archive.alarms import MAX_ADDRESSES, Alarm
from pipelines.archive.catalog import Catalog
from pipelines.archive.host_stats import HostStats
from pipelines.archive.originals import policy_of
from pipelines.archive.storage_errors import explain, outcome

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

_RESCAN_SECONDS = 60.0
"""Seconds between two checks for pages that have become due."""
_MAX_UNSETTLED_PAGES = 32
"""Maximum of pages that are fetched and not stored yet: fewer leave readers idle; a kill repeats them."""
_SHORTEST_WAIT_SECONDS = 0.02
"""Seconds between two looks for a page that is due, while nothing is under way."""
_MAX_WAIT = timedelta(seconds=90)
"""How long a run waits for the next try of a failed page, or for a host that asked to be left alone."""


class Frontier(BaseScheduler):
    """Give Scrapy a due page when its host has a free slot; keep the catalog open while the crawl runs.

    A request that is yielded for a page becomes a row; sitemaps and other requests with a callback of
    their own are kept in memory, as every run asks for them anew.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.settings: BaseSettings = crawler.settings
        self.in_memory: deque[Request] = deque()
        self.wanted = wanted_hosts(self.settings)
        self.left = max_pages(self.settings)
        self.handed_out = 0
        self.requests: Counter[str] = Counter()
        crawler.signals.connect(self._sent, signals.request_reached_downloader)
        self._scanned = 0.0
        self._is_open = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(crawler)

    def open(self, spider: Any) -> None:
        """Open the archive, where the spider's seeds become due pages.

        Raises AlsoreadError, OSError and sqlite3.Error.
        """
        self.spider = spider
        path = Path(self.settings["ALSOREAD_DATA"]) / "archive.db"
        recrawl = self.settings["ALSOREAD_RECRAWL"]
        self.catalog = Catalog(
            path,
            scope=self.settings.getlist("ALSOREAD_SCOPE"),
            retry_delays=self.settings.getlist("ALSOREAD_RETRY_DELAYS"),
            host_failures=self.settings["ALSOREAD_HOST_FAILURES"],
            originals=policy_of(self.settings, self.spider.pages),
        )
        try:
            self.catalog.begin_crawl(
                self.spider.seeds, {name: self.settings[name] for name in _RECORDED_SETTINGS}
            )
            self.catalog.add(FoundPages(pages=[(url, None) for url in self.spider.pages], asked_for=True))
            failed = self.settings.getbool("ALSOREAD_RETRY_FAILED")
            self.catalog.make_due(self.wanted, failed=failed, everything=recrawl == "all")
            self.due = open_queue(path, self.settings)
        except (OSError, sqlite3.Error) as error:
            with suppress(OSError, sqlite3.Error):  # the first error says why
                self.catalog.end_crawl(outcome(error))
            self.catalog.close()
            raise
        self.catalog.start_writer()
        self.crawler.signals.send_catch_log(archive_opened, catalog=self.catalog, frontier=self)
        self._is_open = True

    def close(self, reason: str) -> None:
        """Write the crawl's row and its alarms, and let go of the archive, if it is open."""
        if not self._is_open:
            return
        self._is_open = False
        received = self.crawler.stats.get_value("downloader/response_bytes", 0)
        try:
            errors = self.catalog.stop_writer()
            judged = hosts_to_judge(self.catalog.db, self.catalog.crawl, self.due.counts(iso(now())))
            with self.catalog.db.atomic():
                alarms = list(self._alarms(judged, finished=reason == Outcome.FINISHED))
            self.catalog.end_crawl(reason, self.requests, received, alarms, judged)
            for unstored in errors:
                raise unstored
        except (OSError, sqlite3.Error) as error:
            record_fault(self.crawler.stats, error)  # the crawl's row does not tell
            logger.error("The end of the crawl can't be stored: %s", explain(error, self.catalog.path))
        finally:
            self.due.close()
            self.catalog.close()

    def _alarms(self, judged: Mapping[str, HostStats], *, finished: bool) -> Iterator[Alarm]:
        """Yield the run's own alarms, then those judged from the archive."""
        stats: Any = self.crawler.stats
        if error := stats.get_value("archive/disk_error"):
            yield disk_alarm(error)
        if space := stats.get_value("archive/disk_space"):
            yield Alarm(kind=Outcome.SPACE, message=f"The run stopped before the disk is full: {space}.")
        if finished and (count := self.handed_out - self.catalog.counts["pages"]):
            message = f"{counted(count, 'page was', 'pages were')} fetched but not stored; the next run repeats them."
            yield Alarm(kind="unsettled", message=message)
        if count := stats.get_value("spider_exceptions/count", 0):
            yield Alarm(kind="broken", message=f"Internal errors on {counted(count, 'page')}; see the log.")
        yield from leave_pages(
            self.catalog.db, self.due.budgets, self.due.hosts, self.due.spent, self.due.beyond
        )
        unread = stats.get_value(UNREAD_SITEMAPS, {})
        for alarm in judge_run(self.catalog.db, self.catalog.crawl, judged, whole=finished):
            shown = (
                tuple(unread.get(alarm.host, ())[:MAX_ADDRESSES]) if alarm.kind == "sitemap" else alarm.pages
            )
            yield replace(alarm, pages=shown)

    def enqueue_request(self, request: Request) -> bool:
        """Make a page due in the catalog; keep any other request in memory."""
        if request.callback is None:
            self.catalog.add(FoundPages(pages=[(canonical(request.url), None)]))
        else:
            self.in_memory.append(request)
        return True

    def next_request(self) -> Request | None:
        """Return the next request; None if nothing is due or no host has a free slot."""
        if self.in_memory:
            return self.in_memory.popleft()
        if self.left == 0:
            return None
        if count_unsettled(self.crawler) >= _MAX_UNSETTLED_PAGES:
            return None
        busy = active_hosts(self.crawler)
        if not busy or monotonic() - self._scanned > _RESCAN_SECONDS:
            self._scanned = monotonic()
            self.due.rescan()
        most = max_requests_per_host(self.crawler)
        page = self.due.next(iso(now()), free=lambda host: busy[host] < most)
        if page is None:
            return None
        self.left -= 1
        self.handed_out += 1
        return self._request(page)

    def has_pending_requests(self) -> bool:
        """Return whether something waits in memory, is due, or will be soon."""
        if self.in_memory:
            return True
        if self.left == 0:
            return False
        moment = self.due.restart(until=iso(now() + _MAX_WAIT))
        if moment is None:
            return False
        # The engine would ask again in a few seconds; a page that was just found may be due in a millisecond.
        wait = datetime.fromisoformat(moment) - now()
        wake(self.crawler, max(wait.total_seconds(), _SHORTEST_WAIT_SECONDS))
        return True

    def count_due(self, moment: str) -> dict[str, int]:
        """Count the pages by host that are due at a time, and within what the run may still fetch."""
        left, counts = self.left, {}
        for host, count in self.due.counts(moment).items():
            counts[host] = min(count, left)
            left -= counts[host]
        return counts

    def finds_more(self) -> bool:
        """Return whether more pages will be found: sitemaps wait, or hosts that were not reached yet."""
        return bool(self.in_memory) or self.due.has_new_hosts()

    def _sent(self, request: Request) -> None:
        kind = next((name for name in ("page", "robots") if request.meta.get(name)), "sitemap")
        self.requests[kind] += 1

    def _request(self, page: Page) -> Request:
        # An audit asks for the whole page: a validator that stays the same while the page changes hides the change.
        # So does a visit that is to keep an original: "not modified" would bring none.
        lacks_original = self.settings.getbool("ALSOREAD_WARC") and page.lacks_original
        whole = lacks_original or revisit.is_audited(page.id, self.catalog.crawl)
        return Request(
            page.url,
            callback=self.spider.parse,
            errback=self.spider.failed,
            dont_filter=True,
            meta={
                "page": page.url,
                "depth": page.depth,
                "etag": None if whole else page.etag,
                "last_modified": None if whole else page.last_modified,
                "handle_httpstatus_all": True,
            },
        )


def disk_alarm(error: str) -> Alarm:
    """Return the alarm for a disk that failed; the archive may not be able to store it."""
    return Alarm(kind=Outcome.DISK, message=f"The archive could not be written any more: {error}.")


_RECORDED_SETTINGS = (
    "ALSOREAD_DISCOVER",
    "ALSOREAD_HOSTS",
    "ALSOREAD_MAX_DEPTH",
    "ALSOREAD_MAX_PAGES",
    "ALSOREAD_CONNECT_TO",
    "ALSOREAD_RECRAWL",
    "ALSOREAD_RETRY_FAILED",
)
