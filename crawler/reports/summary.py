"""Summary of a crawl: how it ended, its counts and alarms, and what to do next."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from sqlite_utils import Database

from crawler.clock import minute, now
from crawler.exit_codes import ALARMS
from crawler.extensions.estimate import duration
from crawler.items import Outcome, iso
from crawler.reports.crawls import crawl_values
from crawler.reports.terminal import output, plain, print_json
from crawler.text import counted
from pipelines.archive.catalog import COUNTS
from pipelines.archive.connection import open_readonly

if TYPE_CHECKING:
    from crawler.runs.crawl import Report
    from crawler.runs.forecast import Forecast

_ENDINGS = {
    Outcome.FINISHED: "finished",
    Outcome.SHUTDOWN: "interrupted",
    Outcome.FORCED: "stopped at once",
    Outcome.DISK: "stopped (disk full or not writable)",
    Outcome.LOCKED: "stopped (catalog locked by another program)",
    Outcome.CATALOG: "stopped (catalog damaged; see `alsoread verify`)",
    Outcome.SPACE: "stopped (disk nearly full)",
    Outcome.BYTES: "stopped (size limit reached)",
    Outcome.TIME: "stopped (time limit reached)",
    Outcome.QUIET: "stopped (quiet hours)",
}
_RESUMED_BY_COMMAND = (Outcome.SHUTDOWN, Outcome.FORCED)
_RESUMED_BY_NEXT_RUN = (Outcome.BYTES, Outcome.TIME, Outcome.QUIET)
_MAX_TITLES = 20
"""Titles in which a word to search for is looked for."""


def print_summary(report: Report, data: str) -> None:
    """Print how a crawl ended, for people."""
    console = output()
    row = report.crawl
    outcome = row["outcome"]
    ending = _ENDINGS.get(outcome, f"stopped ({outcome})")
    console.print(
        f"[bold]Crawl {row['id']} {ending}[/] after {duration(report.seconds)}: "
        f"{counted(row['pages'], 'page')}, {counted(row['requests'], 'request')}, {row['bytes'] / 2**20:,.1f} MiB"
    )
    for name in COUNTS[1:]:
        if row[name]:
            console.print(f"  {row[name]:>7,} {name.replace('_', ' ')}")
    articles, due = counted(report.articles, "article"), counted(report.due, "page is", "pages are")
    console.print(f"The archive holds [bold]{articles}[/]; {due} due.")
    if sentence := _explain_idle(report):
        console.print(plain(sentence), soft_wrap=True)
    for host in report.unreachable:
        suggestion = f" Did you mean {' or '.join(host.similar)}?" if host.similar else ""
        message = f"The seed {host.host} could not be reached: {host.reason}.{suggestion}"
        console.print(plain(message, "yellow"), soft_wrap=True)
    for alarm in report.alarms:
        console.print(plain(f"Warning: {alarm}", "yellow"), soft_wrap=True)
    if row["pages"] and row["pages"] == row["failed"] + row["refused"]:
        console.print("[red]Nothing could be fetched.[/] Run `alsoread status` to see why.")
    if outcome in _RESUMED_BY_COMMAND:
        console.print("Run the same command to resume.")
    elif outcome in _RESUMED_BY_NEXT_RUN:
        console.print("The next run resumes.")
    console.print(f"Log: {report.log}", soft_wrap=True)
    console.print(f"Next: alsoread status --data {data}", soft_wrap=True)
    if word := _find_word(report, Path(data)):
        search = f"sqlite-utils search {data}/archive.db articles '{word}' -c title -c url"
        console.print(f"      {search}", soft_wrap=True)


def print_summary_json(report: Report) -> None:
    """Print the same as JSON."""
    print_json(
        asdict(report)
        | {"crawl": crawl_values(report.crawl), "log": str(report.log), "idle": _explain_idle(report)}
    )


def _explain_idle(report: Report) -> str | None:
    """Return why a finished crawl fetched nothing; None if it did, or did not finish."""
    if report.crawl["pages"] or report.crawl["outcome"] != Outcome.FINISHED:
        return None
    options = json.loads(report.crawl["options"])
    if options["ALSOREAD_RECRAWL"] == "none":
        return "No page is new, and --recrawl none fetches no others."
    patterns = options["ALSOREAD_HOSTS"]
    of_part = f" of part {options['ALSOREAD_PART']}" if options["ALSOREAD_PART"] else ""
    of_hosts = f" of hosts that match {' or '.join(patterns)}" if patterns else ""
    pages = f"page{of_part}{of_hosts}"
    if report.next_due is None:
        return f"No {pages} is due, now or later; `alsoread status` says why."
    if report.next_due <= iso(now()):
        return "What is due is beyond --max-depth or a budget."
    return f"No {pages} is due before {minute(report.next_due)} UTC; --recrawl all fetches them now."


def _find_word(report: Report, data: Path) -> str | None:
    """Return a word that finds articles; None without one, and after a crawl that has other things to say."""
    if report.exit_code not in (0, ALARMS):
        return None
    with closing(open_readonly(data / "archive.db")) as db:
        titles = db.execute(
            "SELECT title FROM articles WHERE title NOT NULL ORDER BY url LIMIT ?", [_MAX_TITLES]
        )
        words = [
            max(re.findall(r"\w+", title.lower()), key=len, default="") for (title,) in titles.fetchall()
        ]
        return next((word for word in words if word and _is_found(db, word)), None)


def _is_found(db: Database, word: str) -> bool:
    return bool(
        db.execute("SELECT 1 FROM articles_fts WHERE articles_fts MATCH ? LIMIT 1", [word]).fetchone()
    )


def print_forecast(forecast: Forecast) -> None:
    """Print what a crawl would fetch, for people."""
    console = output()
    rate = f"{forecast.rate:g} requests a second" if forecast.rate else "no limit of requests a second"
    console.print(
        f"{counted(forecast.pages, 'page')} of {counted(len(forecast.hosts), 'host')} would be fetched in at least "
        f"{duration(forecast.seconds)}: {rate}, {forecast.delay:g} s between two to one host."
    )
    table = Table("due pages", "host", box=None, padding=(0, 2), header_style="dim")
    for host, pages in forecast.hosts.items():
        table.add_row(f"{pages:,}", host)
    console.print(table)
    for host, until in forecast.paused.items():
        console.print(f"{host} is left alone until {minute(until)} UTC.")
    console.print("Links and sitemaps that are read on the way can add pages.")


def forecast_values(forecast: Forecast) -> dict[str, Any]:
    """Return the same for programs."""
    hosts = [{"host": host, "pages": pages} for host, pages in forecast.hosts.items()]
    counts = {"pages": forecast.pages, "hosts": hosts, "seconds": round(forecast.seconds, 1)}
    return counts | {"delay": forecast.delay, "rate": forecast.rate}
