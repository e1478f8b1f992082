"""`alsoread crawl`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import shutdown
from crawler.cli.options import (
    NOTHING_CHANGED,
    archive_options,
    connect_to,
    data_folder,
    dry_run_flag,
    json_flag,
    no_warc_flag,
    print_result,
    quiet_flag,
    reports_errors,
)
from crawler.config.file import check_notify_urls, read_config

if TYPE_CHECKING:
    from scrapy.settings import Settings

    from pipelines.analysis.near_duplicates import Spread


@click.command()
@click.argument("seeds", nargs=-1)
@data_folder
@archive_options("crawl.", "limits.", "cluster.")
@no_warc_flag
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
@dry_run_flag("Only show the due pages by host, and their duration.")
@quiet_flag
@json_flag
@reports_errors
def crawl(
    seeds: tuple[str, ...], data: str, dry_run: bool, quiet: bool, as_json: bool, **settings: Any
) -> None:
    """Archive the articles that SEEDS lead to.

    SEEDS are addresses, hosts, files of them, or Markdown posts; without any a crawl begins at those of
    DIR/alsoread.toml, or the list that comes with alsoread. Options go over those of the file.

    \b
    Examples:
      alsoread crawl
      alsoread crawl howto.techidaily.com --max-pages 500
      alsoread crawl seeds.txt --host '*-tips.techidaily.com' --delay 2
      alsoread crawl --retry-failed --json
    """
    style = "none" if quiet or as_json else "live" if sys.stderr.isatty() else "lines"
    if style == "live":
        # Whatever comes next takes its place: the cursor is back at the beginning of the line.
        click.echo("Starting\r", nl=False, err=True)
    from crawler.reports.metrics import ClusterMetrics, write_metrics
    from crawler.reports.notify import send_report
    from crawler.reports.summary import print_summary, print_summary_json
    from crawler.runs.crawl import SUCCESSFUL, settings_with
    from crawler.runs.crawl import crawl as run
    from pipelines.analysis.update import update_archive

    folder = Path(data)
    config = read_config(folder)
    check_notify_urls(folder)
    scrapy_settings = settings_with({"ALSOREAD_DATA": data, "ALSOREAD_PROGRESS": style, **settings})
    if dry_run:
        _dry_run(seeds, scrapy_settings, as_json=as_json)
        return
    metrics = config["metrics.file"]
    with shutdown.noted():  # the summary and those who are notified hear of an interruption too
        with ClusterMetrics(folder, metrics) as cluster_metrics:
            result = run(seeds, scrapy_settings, cluster_metrics.write)
        if as_json:
            print_summary_json(result)
        elif not quiet:
            print_summary(result, data)
        for problem in send_report(result, config, folder) + write_metrics(result, folder, metrics):
            click.echo(f"alsoread: {problem}", err=True)
        if result.crawl["outcome"] in SUCCESSFUL:
            # At last, as it takes a while the first time in a large archive.
            with _spread(scrapy_settings) as spread:
                update_archive(
                    folder / "archive.db",
                    lambda text: None if as_json or quiet else click.echo(text),
                    spread,
                )
    shutdown.leave(result.exit_code)


@contextmanager
def _spread(settings: Settings) -> Iterator[Spread]:
    """Yield where many articles are compared: on the nodes of the cluster, unless it was one of the crawl's own."""
    address = settings["ALSOREAD_CLUSTER"]  # with that of the settings file, which the run has read
    if not address or address == "auto":
        yield map
        return
    from crawler.cluster.nodes import Nodes

    with closing(Nodes(address, settings.getint("ALSOREAD_WORKERS"))) as nodes:
        yield nodes.spread


def _dry_run(seeds: tuple[str, ...], settings: Settings, *, as_json: bool) -> None:
    from crawler.reports.summary import forecast_values, print_forecast
    from crawler.runs.forecast import forecast

    result = forecast(seeds, settings)
    if as_json:
        paused = [(host, f"left alone until {until}") for host, until in result.paused.items()]
        print_result(forecast_values(result), paused, exit_code=0)
    else:
        print_forecast(result)
        click.echo(NOTHING_CHANGED)
