"""`alsoread crawl`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crawler import shutdown
from crawler.cli.options import archive_options, connect_to, data_folder, quiet_flag, reports_errors
from crawler.config.file import check_notify_urls, read_config


@click.command()
@click.argument("seeds", nargs=-1)
@data_folder
@archive_options("crawl.", "limits.")
@connect_to
@click.option(
    "--recrawl",
    "ALSOREAD_RECRAWL",
    type=click.Choice(["all", "due", "none"]),
    metavar="WHICH",
    help="Known pages to fetch: all, due (default) or none.",
)
@click.option(
    "--retry-failed", "ALSOREAD_RETRY_FAILED", is_flag=True, default=None, help="Retry all pages that failed."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@quiet_flag
@reports_errors
def crawl(seeds: tuple[str, ...], data: str, as_json: bool, quiet: bool, **settings: Any) -> None:
    """Archive what the SEEDS lead to: addresses, hosts, files of them, or Markdown posts.

    Options go over those of DIR/alsoread.toml.
    """
    style = "none" if quiet else "live" if sys.stderr.isatty() else "lines"
    if style == "live":
        # Whatever comes next takes its place: the cursor is back at the beginning of the line.
        click.echo("Starting\r", nl=False, err=True)
    from crawler.reports.metrics import write_metrics
    from crawler.reports.notify import send_report
    from crawler.reports.summary import print_summary, print_summary_json
    from crawler.runs.crawl import crawl as run
    from crawler.runs.crawl import settings_with

    folder = Path(data)
    config = read_config(folder)
    check_notify_urls(folder)
    scrapy_settings = settings_with({"ALSOREAD_DATA": data, "ALSOREAD_PROGRESS": style, **settings})
    with shutdown.noted():  # the summary and those who are notified hear of an interruption too
        result = run(seeds, scrapy_settings)
        if as_json:
            print_summary_json(result)
        elif not quiet:
            print_summary(result, data)
        metrics = config["metrics.file"]
        for problem in send_report(result, config, folder) + write_metrics(result, folder, metrics):
            click.echo(f"alsoread: {problem}", err=True)
    shutdown.leave(result.exit_code)
