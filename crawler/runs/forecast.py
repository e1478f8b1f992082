"""Tell what a crawl would fetch, from an archive that is only read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from scrapy.settings import Settings
from sqlite_utils import Database

from crawler.clock import now
from crawler.config.addons import ArchiveSettings, LoopbackSettings
from crawler.frontier.budgets import budgets_of
from crawler.frontier.due import max_depth, max_pages, wanted_hosts
from crawler.frontier.seeds import read_seeds
from crawler.items import iso
from crawler.urls import host_of
from pipelines.archive.catalog import recrawl_began
from pipelines.archive.connection import open_current

_DUE = """
SELECT pages.host, count(*) FILTER (WHERE listed OR depth = 0 OR is_seed),
       count(*) FILTER (WHERE NOT (listed OR depth = 0 OR is_seed)), max(not_before)
FROM (SELECT *, url IN (SELECT value FROM json_each(:seeds)) AS is_seed FROM pages WHERE due_at NOT NULL) AS pages
JOIN hosts USING (host)
WHERE (due_at <= :now OR state = 'failed' AND (is_seed OR :retry_failed) OR fetched_at < :recrawled_since)
  AND (is_seed OR depth <= :max_depth AND (listed OR depth <= :unlisted_depth))
  AND (fetched_at IS NULL OR NOT :only_new)
GROUP BY pages.host
"""
"""Counts pages that a crawl finds due, by host: listed ones and others, and until when the host is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a crawl would fetch. Links and sitemaps that it reads can add pages."""

    hosts: dict[str, int]
    """Due pages by host, the most first."""
    paused: dict[str, str]
    """Hosts with due pages that are left alone, each with the time until when."""
    pages: int
    """Pages that the run would fetch, within its limit."""
    delay: float
    """Seconds between two requests to one host."""
    rate: float
    """Requests a second over all hosts; 0 = no limit."""

    @property
    def seconds(self) -> float:
        """Return the least that the run takes, where hosts take turns."""
        longest = _largest_share(list(self.hosts.values()), self.pages) * self.delay
        return max(longest, self.pages / self.rate if self.rate else 0)


def forecast(seeds: Sequence[str], settings: Settings) -> Forecast:
    """Return what `crawl` would fetch with the same arguments; nothing is changed. Raises AlsoreadError."""
    ArchiveSettings.update_pre_crawler_settings(settings)
    LoopbackSettings().update_settings(settings)
    named = list(seeds) or settings.getlist("ALSOREAD_SEEDS")
    urls = read_seeds(named, settings.getlist("ALSOREAD_SCOPE"))
    path = Path(settings["ALSOREAD_DATA"]) / "archive.db"
    due, paused = dict[str, int](), dict[str, str]()
    unknown = urls
    if path.exists():
        with closing(open_current(path)) as db:
            due, paused = _due(db, urls, settings)
            unknown = _unknown(db, urls)
    for url in unknown:
        due[host_of(url)] = due.get(host_of(url), 0) + 1
    by_pages = sorted(filter(wanted_hosts(settings), due), key=lambda host: (-due[host], host))
    hosts = {host: due[host] for host in by_pages}
    going = {host: pages for host, pages in hosts.items() if host not in paused}
    return Forecast(
        hosts=going,
        paused={host: until for host, until in paused.items() if host in hosts},
        pages=min(sum(going.values()), max_pages(settings)),
        delay=settings.getfloat("DOWNLOAD_DELAY"),
        rate=float(settings["ALSOREAD_RATE"] or 0),
    )


def _due(db: Database, urls: Sequence[str], settings: Settings) -> tuple[dict[str, int], dict[str, str]]:
    """Return the due pages of each host, and the hosts that are left alone."""
    moment, budgets = iso(now()), budgets_of(settings)
    retries_failed = settings.getbool("ALSOREAD_RETRY_FAILED")
    recrawl = settings["ALSOREAD_RECRAWL"]
    values = {
        "seeds": json.dumps(urls),
        "now": moment,
        "retry_failed": retries_failed,
        "recrawled_since": (recrawl_began(db) or moment) if recrawl == "all" else "",
        "max_depth": max_depth(settings),
        "unlisted_depth": budgets.unlisted_depth,
        "only_new": recrawl == "none",
    }
    rows = db.execute(_DUE, values).fetchall()
    due = {host: listed + min(others, budgets.unlisted_pages) for host, listed, others, _ in rows}
    paused = {host: until for host, _, _, until in rows if until and until > moment and not retries_failed}
    return due, paused


def _unknown(db: Database, urls: Sequence[str]) -> list[str]:
    query = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT url FROM pages)"
    return [url for (url,) in db.execute(query, [json.dumps(urls)])]


def _largest_share(pages: Sequence[int], limit: int) -> int:
    """Return the pages of the host that has most of them, where hosts take turns up to a limit of all.

    >>> _largest_share([7, 2, 1], 10), _largest_share([7, 2, 1], 7), _largest_share([], 0)
    (7, 4, 0)
    """
    share, left = 0, limit
    for turn, count in enumerate(sorted(pages)):
        share = min(count, -(-left // (len(pages) - turn)))
        left -= share
    return share
