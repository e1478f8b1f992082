"""Budgets of one run against sites without end: what no sitemap and no seed names is fetched only so far."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from crawler.text import counted
from pipelines.archive import pages
from pipelines.archive.alarms import MAX_ADDRESSES, TRAP, Alarm

NO_LIMIT = 2**31
"""Stands for a number of pages, links or hosts that no run reaches."""
_UNLISTED_PAGES = 200
"""Where sitemaps are read: those of the blogs name every post."""
_UNLISTED_PAGES_BY_LINKS = 10_000
"""Where only links are followed, so that no page is listed: twice the posts of the largest blog."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """How far one run goes. A page is listed if a sitemap or a seed names it."""

    unlisted_pages: int
    """Unlisted pages of one host that are fetched."""
    unlisted_depth: int
    """Also-read links between a seed and an unlisted page that is still fetched."""
    new_hosts: int
    """Hosts that are fetched from for the first time, beside the seeds."""


UNLIMITED = Budgets(NO_LIMIT, NO_LIMIT, NO_LIMIT)


def budgets_of(settings: Mapping[str, Any]) -> Budgets:
    """Read a run's budgets from the settings."""
    by_links = settings["ALSOREAD_DISCOVER"] == "links"
    usual = _UNLISTED_PAGES_BY_LINKS if by_links else _UNLISTED_PAGES
    return Budgets(
        unlisted_pages=int(settings.get("ALSOREAD_UNLISTED_PAGES") or usual),
        unlisted_depth=int(settings["ALSOREAD_UNLISTED_DEPTH"]),
        new_hosts=int(settings["ALSOREAD_NEW_HOSTS"]),
    )


def leave_pages(
    db: Database, budgets: Budgets, hosts: Iterable[str], spent: Collection[str], beyond: Collection[str]
) -> Iterator[Alarm]:
    """Record why pages are left to the next run, and yield an alarm for each reason.

    `hosts`: those that the run fetches from; `spent`: those of them whose unlisted pages are over their budget;
    `beyond`: new hosts that are over the run's. Runs inside the caller's transaction.
    """
    for which, value, reason, words in (
        (
            f"NOT listed AND depth > {budgets.unlisted_depth} AND error IS NULL"
            " AND host IN (SELECT value FROM json_each(:value))",
            json.dumps(sorted(hosts)),
            f"no sitemap names it, and it is more than {counted(budgets.unlisted_depth, 'link')} from a seed",
            f"no sitemap names them, and they are more than {counted(budgets.unlisted_depth, 'link')} from a seed",
        ),
        (
            "NOT listed AND host IN (SELECT value FROM json_each(:value))",
            json.dumps(sorted(spent)),
            f"the run fetched {counted(budgets.unlisted_pages, 'page')} of the host that no sitemap names",
            f"no sitemap names them, and the run fetched {counted(budgets.unlisted_pages, 'such page')} a host",
        ),
        (
            "host IN (SELECT value FROM json_each(:value))",
            json.dumps(sorted(beyond)),
            f"the run reached {counted(budgets.new_hosts, 'new host')}",
            f"they are of {counted(len(beyond), 'new host')}, and the run reached "
            f"{counted(budgets.new_hosts, 'other')}",
        ),
    ):
        if left := pages.leave(db, which, value, reason):
            message = f"{counted(len(left), 'page is', 'pages are')} left to the next run: {words}."
            yield Alarm(kind=TRAP, message=message, pages=tuple(left[:MAX_ADDRESSES]))
