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
from pipelines.archive.connection import open_locked

if TYPE_CHECKING:
    from crawler.runs.images import ImagesReport


@click.command()
@data_folder
@host_filter
@click.option("--max", "limit", type=click.IntRange(1), metavar="N", help="Fetch at most N images.")
@archive_options("crawl.delay", "crawl.rate")
@connect_to
@quiet_flag
@reports_errors
def images(data: str, hosts: tuple[str, ...], limit: int | None, quiet: bool, **settings: Any) -> None:
    """Fetch the images in archived articles that have no copy yet.

    \b
    Examples:
      alsoread images
      alsoread images --host howto.techidaily.com --max 1000
    """
    from crawler.runs.crawl import settings_with
    from crawler.runs.images import fetch

    folder = Path(data)
    scrapy_settings = settings_with({"ALSOREAD_DATA": data, **settings})
    with shutdown.noted():
        with open_locked(folder / "archive.db") as db, progress("Fetching", not quiet) as update:
            outcome = fetch(db, scrapy_settings, hosts=hosts, most=limit, watch=update)
        if not quiet:
            _print_summary(outcome, folder)
    shutdown.leave(outcome.exit_code)


def _print_summary(outcome: ImagesReport, folder: Path) -> None:
    counts = {
        "fetched": outcome.stored,
        "failed": outcome.failed,
        "refused": outcome.refused,
        "gone": outcome.gone,
        "already there": outcome.existing,
    }
    click.echo(f"{folder}: " + ", ".join(f"{count:,} {result}" for result, count in counts.items()) + ".")
    if outcome.exit_code == DISK:
        click.echo(f"{folder} is full or not writable: make room, then run the same command to resume.")
    elif outcome.exit_code == LOCKED:
        click.echo("Another program locked the catalog; run the same command to resume when that has ended.")
    elif outcome.exit_code == CATALOG:
        click.echo(f"The catalog is damaged; see `alsoread verify --data {folder}`.")
    elif outcome.exit_code in (INTERRUPTED, FORCED):
        click.echo("Interrupted; run the same command to resume.")
    elif outcome.left:
        click.echo(f"{outcome.left:,} are left; run the same command to resume.")
    elif outcome.failed or outcome.refused:
        query = "select url, error, due_at from pictures where state in ('failed', 'refused')"
        click.echo(f'To see why: sqlite-utils {folder / "archive.db"} "{query}" --table')
    else:
        click.echo(f"To view them: alsoread export site --for hugo --images --data {folder}")
