"""Run the images spider once, from its settings to its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scrapy.settings import Settings
from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from crawler.runs.crawl import exit_code
from crawler.runs.scrapy_process import run
from crawler.spiders.images import ImagesSpider
from pipelines.images.wanted import Wanted

_WITHOUT_COPY = """
SELECT url, error, state, due_at FROM pictures WHERE fetched_at >= ? AND state <> 'stored' ORDER BY url
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesReport:
    """How a run for images ended."""

    stored: int
    failed: int
    refused: int
    gone: int
    existing: int
    """Copies that the archive has already."""
    left: int
    """Images that were not requested yet."""
    postponed: int
    """Those of them on hosts that failed several times in a row, or asked to be left alone."""
    next_try: str | None
    """When the first of the failed images is tried again."""
    failures: list[tuple[str, str]]
    """Addresses of the images that got no copy, each with the reason."""
    exit_code: int


def fetch(
    db: Database,
    settings: Settings,
    *,
    hosts: Sequence[str],
    most: int | None,
    watch: Callable[[int, int], None],
) -> ImagesReport:
    """Fetch copies of the images that articles of these hosts show, at most so many.

    `db` is the locked catalog; `watch` is called with the number of images that are done, and of all.
    Raises AlsoreadError.
    """
    data, began = Path(settings["ALSOREAD_DATA"]), iso(now())
    settings.setdict(settings.getdict("ALSOREAD_IMAGES"), priority="project")
    wanted, done = Wanted(db, data, hosts), 0
    existing = wanted.existing
    total = min(wanted.count, most or wanted.count)

    def scraped() -> None:
        nonlocal done
        done += 1
        watch(done, total)

    stats = run(ImagesSpider, settings, scraped, urls=islice(wanted, most)) if total else {}
    counts = {state: stats.get(f"images/{state}", 0) for state in ("stored", "failed", "refused", "gone")}
    asked = sum(counts.values())
    without_copy = db.execute(_WITHOUT_COPY, [began]).fetchall()
    return ImagesReport(
        **counts,
        postponed=stats.get("images/postponed", 0),
        next_try=min((due_at for _, _, state, due_at in without_copy if state == "failed"), default=None),
        failures=[(url, reason) for url, reason, _, _ in without_copy],
        existing=wanted.existing,
        left=wanted.count - (wanted.existing - existing) - asked,
        exit_code=exit_code(
            stats.get("archive/stopped") or stats.get("finish_reason", "finished"),
            asked,
            counts["failed"] + counts["refused"],
        ),
    )
