"""`alsoread images`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import shutdown
from crawler.cli.options import (
    archive_options,
    connect_to,
    data_folder,
    host_filter,
    json_flag,
    no_warc_flag,
    print_result,
    quiet_flag,
    reports_errors,
)
from crawler.clock import minute
from crawler.exit_codes import CATALOG, DISK, FORCED, INTERRUPTED, LOCKED
from crawler.reports.terminal import progress
from crawler.text import escape_controls
from crawler.urls import named_host
from pipelines.archive.lock import open_locked

if TYPE_CHECKING:
    from crawler.runs.images import ImagesReport

_MAX_REASONS = 5
"""Reasons that are printed."""


@click.command()
@data_folder
@host_filter
@click.option("--max", "limit", type=click.IntRange(1), metavar="N", help="Fetch at most N images.")
@archive_options("crawl.delay", "crawl.rate")
@no_warc_flag
@connect_to
@quiet_flag
@json_flag
@reports_errors
def images(
    data: str, hosts: tuple[str, ...], limit: int | None, quiet: bool, as_json: bool, **settings: Any
) -> None:
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
        with (
            open_locked(folder / "archive.db") as db,
            progress("Fetching", not quiet and not as_json) as update,
        ):
            outcome = fetch(db, scrapy_settings, hosts=hosts, most=limit, watch=update)
        if as_json:
            counts = {
                **_counts(outcome),
                "left": outcome.left,
                "postponed": outcome.postponed,
                "next_try": outcome.next_try,
            }
            print_result(counts, outcome.failures, outcome.exit_code)
        elif not quiet:
            _print_summary(outcome, folder)
    shutdown.leave(outcome.exit_code)


def _counts(outcome: ImagesReport) -> dict[str, Any]:
    return {
        "fetched": outcome.stored,
        "failed": outcome.failed,
        "refused": outcome.refused,
        "gone": outcome.gone,
        "existing": outcome.existing,
    }


def _print_summary(outcome: ImagesReport, folder: Path) -> None:
    counts = ", ".join(f"{count:,} {result}" for result, count in _counts(outcome).items())
    click.echo(f"{folder}: {counts.replace('existing', 'already there')}.")
    _print_reasons(outcome.failures, folder)
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
        if outcome.postponed:
            click.echo(
                f"{outcome.postponed:,} of them are on hosts that failed several times in a row, or asked to be "
                "left alone: the next run asks these again."
            )
    elif outcome.next_try:
        click.echo(
            f"Failed images are tried again from {minute(outcome.next_try)} UTC: run the same command then."
        )
    elif outcome.failures:
        click.echo("Images that are gone or refused are requested again after 90 days.")
    else:
        click.echo(f"To view them: alsoread export site --for hugo --images --data {folder}")


def _print_reasons(failures: Sequence[tuple[str, str]], folder: Path) -> None:
    """Print why images have no copy, the most common reason first, each with an example."""
    examples: dict[str, str] = {}
    images: Counter[str] = Counter()
    for url, reason in failures:
        kind = _without_path(reason, url)
        examples.setdefault(kind, url)
        images[kind] += 1
    for kind, count in images.most_common(_MAX_REASONS):
        click.echo(escape_controls(f"  {count:>7,} {kind}\n          as {examples[kind]}"))
    if len(images) > _MAX_REASONS:
        query = "select url, error from pictures where path is null"
        click.echo(f'All reasons: sqlite-utils {folder / "archive.db"} "{query}" --table')


def _without_path(reason: str, url: str) -> str:
    """Leave out what a reason repeats of an image's address, so that images with the same cause share it."""
    host = named_host(url)
    path = url.partition(host)[2].partition("?")[0] if host else ""
    return reason.replace(path, "its path") if len(path) > 1 else reason
