"""Open the queue of a run from its settings, to crawl or only to count what is due; loads no Scrapy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from crawler.clock import now
from crawler.config.units import Part, parse_part
from crawler.frontier.budgets import NO_LIMIT, budgets_of
from crawler.frontier.queue import DuePages
from crawler.frontier.reach import is_wanted
from crawler.items import iso

Settings = Mapping[str, Any]
"""Scrapy's settings of a run, or as much of them as an archive's options set."""


def wanted_hosts(settings: Settings) -> Callable[[str], bool]:
    """Return a test for the hosts whose pages a run fetches: those of its part that match a pattern."""
    value = settings.get("ALSOREAD_HOSTS") or []
    patterns = value.split(",") if isinstance(value, str) else value  # a word of Scrapy's command line
    part = part_of(settings)
    return lambda host: (part is None or host in part) and is_wanted(host, patterns)


def part_of(settings: Settings) -> Part | None:
    """Return the part of the hosts that a run fetches from; None for all."""
    value = settings.get("ALSOREAD_PART")
    return parse_part(value) if value else None


def max_pages(settings: Settings) -> int:
    """Return how many pages a run fetches at most."""
    return int(settings.get("ALSOREAD_MAX_PAGES") or NO_LIMIT)


def max_depth(settings: Settings) -> int:
    """Return how many also-read links from a seed a run goes at most."""
    depth = settings.get("ALSOREAD_MAX_DEPTH")
    return NO_LIMIT if depth is None else int(depth)


def open_queue(path: Path, settings: Settings) -> DuePages:
    """Open the queue of the catalog at `path`. Raises AlsoreadError."""
    return DuePages(
        path,
        wanted_hosts(settings),
        max_depth=max_depth(settings),
        only_new=settings.get("ALSOREAD_RECRAWL") == "none",
        budgets=budgets_of(settings),
    )


def count_due(data: Path, settings: Settings) -> int:
    """Count the known pages that a run with these settings would request now. Raises AlsoreadError."""
    with closing(open_queue(data / "archive.db", settings)) as queue:
        return min(queue.count(iso(now())), max_pages(settings))
