"""Run one crawl, from its options to its report."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.settings import Settings

from crawler import exit_codes
from crawler.config.addons import ArchiveSettings
from crawler.config.file import FILE_NAME, read_config
from crawler.extensions.logs import new_log, numbered
from crawler.extensions.progress import ClusterProgress
from crawler.frontier.due import count_due, wanted_hosts
from crawler.frontier.open_crawl import disk_alarm
from crawler.frontier.reach import UnreachableHost, check_part, check_patterns, next_due, unreachable_hosts
from crawler.frontier.seeds import read_seeds
from crawler.items import Outcome
from crawler.runs.scrapy_process import run
from crawler.spiders.also_read import AlsoReadSpider
from pipelines.archive import alarms
from pipelines.archive.alarms import Alarm
from pipelines.archive.connection import open_readonly

if TYPE_CHECKING:
    from crawler.cluster.run import Show

SUCCESSFUL = (Outcome.FINISHED, Outcome.BYTES, Outcome.TIME, Outcome.QUIET)
"""Outcomes of runs that ended as asked."""
CLUSTER_STATS = "cluster/"
"""How the statistics of a crawl on a cluster begin that no other has."""
_EXIT_CODES: dict[str, int] = {
    **dict.fromkeys(SUCCESSFUL, 0),
    Outcome.LOCKED: exit_codes.LOCKED,
    Outcome.CATALOG: exit_codes.CATALOG,
    Outcome.DISK: exit_codes.DISK,
    Outcome.SPACE: exit_codes.DISK,
    Outcome.FORCED: exit_codes.FORCED,
}


@dataclass(frozen=True, slots=True)
class Report:
    """How a crawl ended: its row in the catalog, the archive's counts, and the alarms."""

    crawl: dict[str, Any]
    seconds: float
    articles: int
    due: int
    """Pages that the next run with the same options would request."""
    next_due: str | None
    """When the next page of the hosts that were asked for is due; None if none will be."""
    unreachable: list[UnreachableHost]
    """Hosts of seeds of which nothing could be fetched."""
    alarms: list[Alarm]
    log: Path
    exit_code: int
    cluster: dict[str, float] = field(default_factory=dict)
    """Counts of a crawl on a cluster, by name; empty for any other."""


def settings_with(options: Mapping[str, Any]) -> Settings:
    """Return the project's settings with options of the command line on top; None is an option not given."""
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.setdict(
        {name: value for name, value in options.items() if value is not None}, priority="cmdline"
    )
    return settings


def crawl(seeds: Sequence[str], settings: Settings, show: Show | None = None) -> Report:
    """Run a crawl to its end. Raises AlsoreadError if it can't begin.

    `show` is called with the coordinator's status of a crawl on a cluster, twice a second.
    """
    data = Path(settings["ALSOREAD_DATA"])
    config = read_config(data)
    # A mistyped one leaves nothing behind.
    pages = read_seeds(seeds or config["seeds"], settings.getlist("ALSOREAD_SCOPE"))
    if given := settings.getlist("ALSOREAD_HOSTS"):
        check_patterns(pages, given, "--host", data / "archive.db")
    else:
        check_patterns(pages, config["crawl.hosts"], f"{data / FILE_NAME}: crawl.hosts", data / "archive.db")
    cluster = settings["ALSOREAD_CLUSTER"] or config["cluster.address"]
    check_part(settings["ALSOREAD_PART"] or config["cluster.part"], cluster, data)
    log = new_log(data)
    logging.raiseExceptions = False  # a log that can't be written is no reason to fill the terminal
    settings.set("LOG_FILE", str(log), priority="cmdline")
    if cluster:
        ArchiveSettings.update_pre_crawler_settings(settings)
        stats = _on_cluster(settings, seeds or config["seeds"], pages, show)
    else:
        # Scrapy makes many objects a page and few cycles: look for those seldom, and not among what is loaded.
        gc.freeze()
        gc.set_threshold(50_000)
        stats = run(AlsoReadSpider, settings, seeds=seeds)
    return _report(log, pages, stats, settings)


def _on_cluster(
    settings: Settings, seeds: Sequence[str], pages: Sequence[str], show: Show | None
) -> dict[str, Any]:
    from crawler.cluster.run import run as run_on_cluster  # nobody else has to load it

    rate = float(settings["ALSOREAD_RATE"] or 0)
    with ClusterProgress(settings["ALSOREAD_PROGRESS"], rate) as progress:

        def show_all(status: dict[str, Any]) -> None:
            progress.show(status)
            if show:
                show(status)

        return run_on_cluster(settings, seeds, pages, show_all)


def _report(log: Path, seeds: Sequence[str], stats: Mapping[str, Any], settings: Settings) -> Report:
    data = Path(settings["ALSOREAD_DATA"])
    due = count_due(data, settings)
    with closing(open_readonly(data / "archive.db")) as db:
        crawl = next(db.query("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"))
        articles = db.execute("SELECT coalesce(sum(articles), 0) FROM host_counts").fetchone()[0]
        raised = alarms.of_crawl(db, crawl["id"])
        coming = next_due(db, wanted_hosts(json.loads(crawl["options"])))
        unreachable = unreachable_hosts(db, crawl["id"], seeds, settings.getlist("ALSOREAD_SCOPE"))
    if error := stats.get("archive/disk_error"):
        crawl["outcome"] = stats["archive/stopped"]  # the full disk may not even have taken this word
        raised = raised or [disk_alarm(error)]
    return Report(
        crawl=crawl,
        seconds=stats["elapsed_time_seconds"],
        articles=articles,
        due=due,
        next_due=coming,
        unreachable=unreachable,
        alarms=raised,
        log=log if log.exists() else numbered(log, crawl["id"]),
        exit_code=exit_code(crawl["outcome"], crawl["pages"], crawl["failed"] + crawl["refused"])
        or (exit_codes.ALARMS if raised else 0),
        cluster={
            name.removeprefix(CLUSTER_STATS): count
            for name, count in stats.items()
            if name.startswith(CLUSTER_STATS)
        },
    )


def exit_code(outcome: str, requested: int, failed: int) -> int:
    """Return the exit code of a run with this outcome, which requested so many pages or images."""
    code = _EXIT_CODES.get(outcome, exit_codes.INTERRUPTED)
    return exit_codes.NOTHING_FETCHED if not code and requested and requested == failed else code
