"""One crawl, from its options to its outcome."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler.clock import now
from crawler.failsafe import DISK
from crawler.items import iso
from crawler.seeds import read_seeds
from crawler.spiders.also_read import AlsoReadSpider
from pipelines.catalog import read
from pipelines.errors import ArchiveError

_ALARM, _NOTHING_FETCHED, _DISK_FULL, _INTERRUPTED, _FORCED = 1, 3, 6, 11, 13
_STOPPED_AT_ONCE = "forced"
_UNKNOWN_TEMPLATE = "archive/unknown_template/"


@dataclass(frozen=True, slots=True)
class Report:
    """How a crawl ended: its row in the catalog, what the archive holds now, what a person should look at."""

    crawl: dict[str, Any]
    seconds: float
    articles: int
    due: int
    alarms: list[str]
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
    read_seeds(seeds, settings.getlist("ALSOREAD_SCOPE"))  # a mistyped one leaves nothing behind
    data = Path(settings["ALSOREAD_DATA"])
    log = _log_file(data)
    logging.raiseExceptions = False  # a log that can't be written is no reason to fill the terminal
    settings.set("LOG_FILE", str(log), priority="cmdline")
    # Scrapy makes many objects a page and few cycles: look for those seldom, and not among what is loaded.
    gc.freeze()
    gc.set_threshold(50_000)
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(AlsoReadSpider)
    running: asyncio.Future[None] = process.crawl(crawler, seeds=seeds)
    process.start()
    if not running.done():  # a second signal stops Scrapy where it stands
        _close(crawler)
    if running.done() and not running.cancelled() and (error := running.exception()):
        raise error
    assert crawler.stats is not None  # noqa: S101
    return _report(data, log, crawler.stats.get_stats())


def _close(crawler: Crawler) -> None:
    """What Scrapy did not get to: the crawl's row, the processes, the terminal."""
    engine: Any = crawler.engine
    engine.scheduler.close(_STOPPED_AT_ONCE)
    crawler.signals.send_catch_log(signals.spider_closed, spider=crawler.spider, reason=_STOPPED_AT_ONCE)


def _log_file(data: Path) -> Path:
    log = data / "logs" / f"crawl-{now():%Y%m%dT%H%M%SZ}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise ArchiveError(f"{data} can't be written: {error.strerror}. Choose another --data.", 6) from None
    return log


def _report(data: Path, log: Path, stats: Mapping[str, Any]) -> Report:
    due = "SELECT count(*) FROM pages WHERE due_at <= ?"
    with closing(read(data / "archive.db")) as db:
        crawl = next(db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"))
        articles, waiting = db.table("articles").count, db.execute(due, [iso(now())]).fetchone()[0]
    if "archive/disk_error" in stats:
        crawl["outcome"] = DISK  # the full disk may not even have taken this word
    alarms = list(_alarms(stats))
    return Report(
        crawl=crawl,
        seconds=stats["elapsed_time_seconds"],
        articles=articles,
        due=waiting,
        alarms=alarms,
        log=log,
        exit_code=_exit_code(crawl, alarms),
    )


def _alarms(stats: Mapping[str, Any]) -> Iterator[str]:
    if error := stats.get("archive/disk_error"):
        yield f"The archive could not be written any more: {error}."
    for name, count in stats.items():
        if name.startswith(_UNKNOWN_TEMPLATE):
            host = name.removeprefix(_UNKNOWN_TEMPLATE)
            yield f"{host} uses a template that is not known: {count} articles were read by the generic extractor."
    if count := stats.get("archive/unsettled", 0):
        yield f"{count} pages were fetched and came to nothing: they are due again."
    if count := stats.get("spider_exceptions/count", 0):
        yield f"alsoread itself broke over {count} pages: the log says where."
    if count := stats.get("sitemap/failed", 0):
        yield f"{count} sitemaps could not be read: the log names them."


def _exit_code(crawl: Mapping[str, Any], alarms: Sequence[str]) -> int:
    if crawl["outcome"] == DISK:
        return _DISK_FULL
    if crawl["outcome"] == _STOPPED_AT_ONCE:
        return _FORCED
    if crawl["outcome"] != "finished":
        return _INTERRUPTED
    if crawl["pages"] and crawl["pages"] == crawl["failed"] + crawl["refused"]:
        return _NOTHING_FETCHED
    return _ALARM if alarms else 0
