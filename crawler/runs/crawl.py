"""One crawl, from its options to its outcome."""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scrapy.settings import Settings

from crawler import exit_codes
from crawler.clock import now
from crawler.config.file import read_config
from crawler.extensions.errors import CATALOG, DISK, LOCKED
from crawler.extensions.limits import BYTES, QUIET, SPACE, TIME
from crawler.extensions.logs import new_log, numbered
from crawler.frontier.scheduler import disk_alarm
from crawler.frontier.seeds import read_seeds
from crawler.items import iso
from crawler.runs.scrapy_process import INTERRUPTED_TWICE, run
from crawler.spiders.also_read import AlsoReadSpider
from pipelines.archive import alarms
from pipelines.archive.alarms import Alarm
from pipelines.archive.catalog import open_readonly

WELL = ("finished", BYTES, TIME, QUIET)
"""Outcomes of runs that did what they were asked."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a crawl ended: its row in the catalog, what the archive holds now, what a person should look at."""

    crawl: dict[str, Any]
    seconds: float
    articles: int
    due: int
    alarms: list[Alarm]
    log: Path
    exit_code: int


def settings_with(options: Mapping[str, Any]) -> Settings:
    """The project's settings with a command line's options on top; None stands for an option not given."""
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.setdict(
        {name: value for name, value in options.items() if value is not None}, priority="cmdline"
    )
    return settings


def crawl(seeds: Sequence[str], settings: Settings) -> Report:
    """Runs a crawl to its end. Raises ArchiveError or SeedError where it can't begin."""
    data = Path(settings["ALSOREAD_DATA"])
    # A mistyped one leaves nothing behind.
    read_seeds(seeds or read_config(data)["seeds"], settings.getlist("ALSOREAD_SCOPE"))
    log = new_log(data)
    logging.raiseExceptions = False  # a log that can't be written is no reason to fill the terminal
    settings.set("LOG_FILE", str(log), priority="cmdline")
    # Scrapy makes many objects a page and few cycles: look for those seldom, and not among what is loaded.
    gc.freeze()
    gc.set_threshold(50_000)
    return _report(data, log, run(AlsoReadSpider, settings, seeds=seeds))


def _report(data: Path, log: Path, stats: Mapping[str, Any]) -> Report:
    due = "SELECT count(*) FROM pages WHERE due_at <= ?"
    with closing(open_readonly(data / "archive.db")) as db:
        crawl = next(db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"))
        articles, waiting = db.table("articles").count, db.execute(due, [iso(now())]).fetchone()[0]
        told = alarms.of_crawl(db, crawl["id"])
    if error := stats.get("archive/disk_error"):
        crawl["outcome"] = stats["archive/stopped"]  # the full disk may not even have taken this word
        told = told or [disk_alarm(error)]
    return Report(
        crawl=crawl,
        seconds=stats["elapsed_time_seconds"],
        articles=articles,
        due=waiting,
        alarms=told,
        log=log if log.exists() else numbered(log, crawl["id"]),
        exit_code=exit_code(crawl["outcome"], crawl["pages"], crawl["failed"] + crawl["refused"])
        or (exit_codes.ALARMS if told else 0),
    )


def exit_code(outcome: str, asked: int, in_vain: int) -> int:
    """What a run that ended so, and asked for so many things, some in vain, ends with."""
    if outcome == LOCKED:
        return exit_codes.LOCKED
    if outcome == CATALOG:
        return exit_codes.CATALOG
    if outcome in (DISK, SPACE):
        return exit_codes.DISK
    if outcome == INTERRUPTED_TWICE:
        return exit_codes.FORCED
    if outcome not in WELL:
        return exit_codes.INTERRUPTED
    return exit_codes.NOTHING_FETCHED if asked and asked == in_vain else 0
