"""One run that fetches copies of pictures, from its settings to its outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from scrapy.settings import Settings
from sqlite_utils import Database

from crawler.run import exit_code, run
from crawler.spiders.pictures import PicturesSpider
from crawler.urls import ANYWHERE
from pipelines.markdown import sweep
from pipelines.pictures.place import FOLDER
from pipelines.pictures.wanted import Wanted

DIFFERENT: dict[str, Any] = {
    # What a run for pictures has other than a crawl.
    "ALSOREAD_SCOPE": [ANYWHERE],  # pictures lie on other hosts than the blogs
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",  # what is wanted is known at the start, so there is no frontier
    "ITEM_PIPELINES": {"pipelines.pictures.store.StorePictures": 300},  # the picture's file, then its row
    "CONCURRENT_REQUESTS": 8,  # a stop waits for those under way, which may wait for one host's delay in a row
    "LOG_LEVEL": "ERROR",  # the catalog says what came of every picture; the terminal is for the summary
}
_OF_THE_FRONTIER = (
    "crawler.sitemaps.SitemapDiscovery",
    "crawler.progress.Progress",
    "crawler.logs.NumberedLog",
)
"""Extensions that there is nothing for without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run for pictures ended."""

    stored: int
    failed: int
    refused: int
    gone: int
    held: int
    """Copies that the archive held already."""
    left: int
    """Pictures that are wanted and were not asked for."""
    exit_code: int


def fetch(
    db: Database,
    settings: Settings,
    *,
    hosts: Sequence[str],
    most: int | None,
    watch: Callable[[int, int], None],
) -> Outcome:
    """Fetches copies of the pictures that articles of these hosts show, at most so many.

    `db` is the catalog, held for writing. `watch` is told how many are done, and of how many. Raises ArchiveError.
    """
    data = Path(settings["ALSOREAD_DATA"])
    settings.setdict(DIFFERENT, priority="project")
    left_out = dict.fromkeys(_OF_THE_FRONTIER)
    settings.set("EXTENSIONS", settings.getdict("EXTENSIONS") | left_out, priority="project")
    if (data / FOLDER).is_dir():
        sweep(data / FOLDER)
    wanted, done = Wanted(db, data, hosts), 0
    held = wanted.held
    total = min(wanted.count, most or wanted.count)

    def scraped() -> None:
        nonlocal done
        done += 1
        watch(done, total)

    stats = run(PicturesSpider, settings, scraped, urls=islice(wanted, most)) if total else {}
    counts = {state: stats.get(f"pictures/{state}", 0) for state in ("stored", "failed", "refused", "gone")}
    asked = sum(counts.values())
    return Outcome(
        **counts,
        held=wanted.held,
        left=wanted.count - (wanted.held - held) - asked,
        exit_code=exit_code(
            stats.get("finish_reason", "finished"), asked, counts["failed"] + counts["refused"]
        ),
    )
