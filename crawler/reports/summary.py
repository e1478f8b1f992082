"""Summary of a crawl: how it ended, its counts and alarms, and what to do next."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from crawler.extensions.estimate import duration
from crawler.items import Outcome
from crawler.reports.terminal import output, plain, print_json
from crawler.text import counted
from pipelines.archive.catalog import COUNTS

if TYPE_CHECKING:
    from crawler.runs.crawl import Report

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
    console.print(
        f"      sqlite-utils search {data}/archive.db articles 'battery' -c title -c url", soft_wrap=True
    )


def print_summary_json(report: Report) -> None:
    """Print the same as JSON."""
    print_json(asdict(report) | {"log": str(report.log)})
