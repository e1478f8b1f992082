"""`alsoread images`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import shutdown
from crawler.cli.options import (
    archive_options,
    connect_to,
    data_folder,
    host_filter,
    quiet_flag,
    reports_errors,
)
from crawler.exit_codes import CATALOG, DISK, FORCED, INTERRUPTED, LOCKED
from crawler.reports.terminal import progress
from pipelines.archive.catalog import hold

if TYPE_CHECKING:
    from crawler.runs.images import Outcome


@click.command()
@data_folder
@host_filter
@click.option(
    "--max", "most", type=click.IntRange(1), metavar="N", help="Pictures that this run fetches at most."
)
@archive_options("crawl.delay", "crawl.rate")
@connect_to
@quiet_flag
@reports_errors
def images(data: str, hosts: tuple[str, ...], most: int | None, quiet: bool, **settings: Any) -> None:
    """Fetch a copy of every picture that the archive's articles show and it holds no copy of yet."""
    from crawler.runs.crawl import settings_with
    from crawler.runs.images import fetch

    folder = Path(data)
    scrapy_settings = settings_with({"ALSOREAD_DATA": data, **settings})
    with shutdown.noted():
        with hold(folder / "archive.db") as db, progress("Fetching", not quiet) as watch:
            outcome = fetch(db, scrapy_settings, hosts=hosts, most=most, watch=watch)
        if not quiet:
            _tell(outcome, folder)
    shutdown.leave(outcome.exit_code)


def _tell(outcome: Outcome, folder: Path) -> None:
    """The summary, and what to do next."""
    counts = {
        "fetched": outcome.stored,
        "failed": outcome.failed,
        "refused": outcome.refused,
        "gone": outcome.gone,
        "already there": outcome.held,
    }
    click.echo(f"{folder}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()) + ".")
    if outcome.exit_code == DISK:
        click.echo(f"The disk is full, or {folder} can't be written: make room; the same command goes on.")
    elif outcome.exit_code == LOCKED:
        click.echo("Another program has locked the catalog: the same command goes on when that has ended.")
    elif outcome.exit_code == CATALOG:
        click.echo(f"The catalog is damaged: `alsoread verify --data {folder}` says how.")
    elif outcome.exit_code in (INTERRUPTED, FORCED):
        click.echo("Interrupted: the same command goes on.")
    elif outcome.left:
        click.echo(f"{outcome.left:,} are left: the same command goes on.")
    elif outcome.failed or outcome.refused:
        query = "select url, error, due_at from pictures where state in ('failed', 'refused')"
        click.echo(f'Why: sqlite-utils {folder / "archive.db"} "{query}" --table')
    else:
        click.echo(f"Look at them: alsoread export site --for hugo --images --data {folder}")
