"""One crawl of an archive, from opening the archive to closing it: what is due, and what went wrong."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scrapy.settings import BaseSettings

from crawler.clock import now
from crawler.extensions.errors import record_fault
from crawler.extensions.sitemaps import UNREAD_SITEMAPS
from crawler.frontier.budgets import leave_pages
from crawler.frontier.due import max_pages, open_queue, wanted_hosts
from crawler.frontier.queue import Page
from crawler.items import FoundPages, Outcome, iso
from crawler.text import counted
from crawler.urls import host_of
from pipelines.alarms.run import hosts_to_judge, judge_run
from pipelines.archive import revisit
from pipelines.archive.alarms import MAX_ADDRESSES, Alarm
from pipelines.archive.catalog import Catalog
from pipelines.archive.host_stats import HostStats
from pipelines.archive.originals import policy_of
from pipelines.archive.storage_errors import explain, outcome

logger = logging.getLogger(__name__)

RESCAN_SECONDS = 60.0
"""Seconds between two checks for pages that have become due."""
_MAX_WAIT = timedelta(seconds=90)
"""How long a run waits for the next try of a failed page, or for a host that asked to be left alone."""


class OpenCrawl:
    """A crawl that has begun: the catalog, which it locks, and the queue of what is due."""

    def __init__(
        self,
        settings: BaseSettings,
        seeds: Sequence[str],
        pages: Sequence[str],
        stats: Any,
        *,
        resume: bool = False,
    ) -> None:
        """Open the archive, where the seeds become due pages: `pages` has their addresses.

        `resume`: go on with the crawl whose process ended. Raises AlsoreadError, OSError and sqlite3.Error.
        """
        self.settings, self._seeds, self._pages, self._stats = settings, seeds, pages, stats
        self.wanted = wanted_hosts(settings)
        path = Path(settings["ALSOREAD_DATA"]) / "archive.db"
        self.catalog = Catalog(
            path,
            scope=settings.getlist("ALSOREAD_SCOPE"),
            retry_delays=settings.getlist("ALSOREAD_RETRY_DELAYS"),
            host_failures=settings["ALSOREAD_HOST_FAILURES"],
            originals=policy_of(settings, pages),
        )
        try:
            if not (resume and self.catalog.resume_crawl()):
                self._begin()
            self.due = open_queue(path, settings)
        except (OSError, sqlite3.Error) as error:
            with suppress(OSError, sqlite3.Error):  # the first error says why
                self.catalog.end_crawl(outcome(error))
            self.catalog.close()
            raise
        self.handed_out = self.catalog.counts["pages"]
        self.left = max_pages(settings) - self.handed_out
        self.catalog.start_writer()

    def _begin(self) -> None:
        self.catalog.begin_crawl(self._seeds, {name: self.settings[name] for name in _RECORDED_SETTINGS})
        self.catalog.add(FoundPages(pages=[(url, None) for url in self._pages], asked_for=True))
        failed = self.settings.getbool("ALSOREAD_RETRY_FAILED")
        self.catalog.make_due(
            self.wanted, failed=failed, everything=self.settings["ALSOREAD_RECRAWL"] == "all"
        )

    def next_page(self, free: Callable[[str], bool]) -> Page | None:
        """Return the next due page of a host that has a free slot; None without one, or if the run has had enough."""
        if self.left <= 0:
            return None
        page = self.due.next(iso(now()), free)
        if page is not None:
            self.count_handed_out()
        return page

    def count_handed_out(self) -> None:
        """Count a page as handed out, also one that was before this process began anew."""
        self.left -= 1
        self.handed_out += 1

    def next_due(self) -> datetime | None:
        """Return when the next page is due, if that is soon. Only for a moment when no page is being fetched."""
        if self.left <= 0:
            return None
        moment = self.due.restart(until=iso(now() + _MAX_WAIT))
        return datetime.fromisoformat(moment) if moment else None

    def validators(self, page: Page) -> dict[str, str | None]:
        """Return what a request for a page is conditional on.

        An audit asks for the whole page: a validator that stays the same while the page changes hides the change.
        So does a visit that is to keep an original: "not modified" would bring none.
        """
        lacks_original = self.settings.getbool("ALSOREAD_WARC") and page.lacks_original
        whole = lacks_original or revisit.is_audited(page.url, self.catalog.crawl)
        return {
            "etag": None if whole else page.etag,
            "last_modified": None if whole else page.last_modified,
        }

    def count_due(self, moment: str) -> dict[str, int]:
        """Count the pages by host that are due at a time, and within what the run may still fetch."""
        left, counts = self.left, {}
        for host, count in self.due.counts(moment).items():
            counts[host] = min(count, left)
            left -= counts[host]
        return counts

    def hosts_with_fresh_sitemaps(self) -> set[str]:
        """Return the hosts whose sitemaps were read recently; those that the user names are read anew."""
        return self.catalog.hosts_with_fresh_sitemaps() - self._seed_hosts()

    def known_hosts(self) -> list[str]:
        """Return the hosts whose sitemaps say what changed: those that the archive knows, and seeds."""
        everywhere = self.settings["ALSOREAD_DISCOVER"] != "links"
        known = self.catalog.reached_hosts() if everywhere else set()
        return sorted(host for host in known | self._seed_hosts() if self.wanted(host))

    def _seed_hosts(self) -> set[str]:
        """Return the hosts among the seeds."""
        return {host_of(url) for url in self._pages if self._seeds and url == f"https://{host_of(url)}/"}

    def close(self, reason: str, requests: Mapping[str, int], alarms: Sequence[Alarm] = ()) -> None:
        """Write the crawl's row and its alarms, and let go of the archive. `alarms`: more of the run's own."""
        received = self._stats.get_value("downloader/response_bytes", 0)
        try:
            errors = self.catalog.stop_writer()
            judged = hosts_to_judge(self.catalog.db, self.catalog.crawl, self.due.counts(iso(now())))
            with self.catalog.db.atomic():
                raised = [*alarms, *self._alarms(judged, finished=reason == Outcome.FINISHED)]
            self.catalog.end_crawl(reason, requests, received, raised, judged)
            for unstored in errors:
                raise unstored
        except (OSError, sqlite3.Error) as error:
            record_fault(self._stats, error)  # the crawl's row does not tell
            logger.error("The end of the crawl can't be stored: %s", explain(error, self.catalog.path))
        finally:
            self.due.close()
            self.catalog.close()

    def _alarms(self, judged: Mapping[str, HostStats], *, finished: bool) -> Iterator[Alarm]:
        """Yield the run's own alarms, then those judged from the archive."""
        stats = self._stats
        if error := stats.get_value("archive/disk_error"):
            yield disk_alarm(error)
        if space := stats.get_value("archive/disk_space"):
            yield Alarm(kind=Outcome.SPACE, message=f"The run stopped before the disk is full: {space}.")
        if finished and (count := self.handed_out - self.catalog.counts["pages"]) > 0:
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


def disk_alarm(error: str) -> Alarm:
    """Return the alarm for a disk that failed; the archive may not be able to store it."""
    return Alarm(kind=Outcome.DISK, message=f"The archive could not be written any more: {error}.")


_RECORDED_SETTINGS = (
    "ALSOREAD_DISCOVER",
    "ALSOREAD_HOSTS",
    "ALSOREAD_PART",
    "ALSOREAD_MAX_DEPTH",
    "ALSOREAD_MAX_PAGES",
    "ALSOREAD_CONNECT_TO",
    "ALSOREAD_RECRAWL",
    "ALSOREAD_RETRY_FAILED",
)
