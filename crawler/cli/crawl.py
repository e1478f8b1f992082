"""`alsoread crawl`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crawler import shutdown
from crawler.cli.options import Quantity, connect_to, data_folder, told
from crawler.config.file import check_addresses, read_config
from crawler.config.units import parse_duration, parse_size


def _seconds(text: str) -> float:
    return parse_duration(text).total_seconds()


@click.command()
@click.argument("seeds", nargs=-1)
@data_folder
@click.option("--max-pages", type=click.IntRange(1), help="Pages that this run fetches at most.")
@click.option(
    "--max-bytes", type=Quantity("SIZE", parse_size), help='What this run receives at most: "2 GB".'
)
@click.option(
    "--max-time", type=Quantity("DURATION", _seconds), help="How long this run takes at most: 90min."
)
@click.option("--max-depth", type=click.IntRange(0), help="Also-read links between a seed and a page.")
@click.option("--hosts", multiple=True, metavar="GLOB", help="Only hosts such as this; repeatable.")
@click.option("--discover", type=click.Choice(["links", "sitemaps", "both"]), help="Where pages come from.")
@click.option("--delay", type=click.FloatRange(0), help="Seconds between two requests to one host.")
@click.option("--rate", type=click.FloatRange(0), help="Requests a second over all hosts; 0 = no limit.")
@connect_to
@click.option(
    "--recrawl",
    type=click.Choice(["all", "due", "none"]),
    help="Pages fetched before: all, those that are due (the default), or none.",
)
@click.option("--retry-failed", is_flag=True, default=None, help="Also try all pages again that failed.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@told
def crawl(seeds: tuple[str, ...], data: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Archive what the SEEDS lead to: addresses, hosts, files of them, or Markdown posts.

    What no option says is as DATA/alsoread.toml has it.
    """
    from crawler.reports import summary
    from crawler.reports.metrics import write_metrics
    from crawler.reports.notify import tell
    from crawler.runs.crawl import crawl as run
    from crawler.runs.crawl import settings_with

    folder = Path(data)
    config = read_config(folder)
    check_addresses(folder)
    style = "none" if quiet else "live" if sys.stderr.isatty() else "lines"
    settings = settings_with(
        {
            "ALSOREAD_DATA": data,
            "ALSOREAD_PROGRESS": style,
            "ALSOREAD_MAX_PAGES": options["max_pages"],
            "ALSOREAD_MAX_BYTES": options["max_bytes"],
            "ALSOREAD_MAX_SECONDS": options["max_time"],
            "ALSOREAD_MAX_DEPTH": options["max_depth"],
            "ALSOREAD_HOSTS": list(options["hosts"]) or None,
            "ALSOREAD_DISCOVER": options["discover"],
            "ALSOREAD_RATE": options["rate"],
            "ALSOREAD_RECRAWL": options["recrawl"],
            "ALSOREAD_RETRY_FAILED": options["retry_failed"],
            "ALSOREAD_CONNECT_TO": options["connect_to"],
            "DOWNLOAD_DELAY": options["delay"],
        }
    )
    with shutdown.noted():  # the summary and those who are notified hear of an interruption too
        result = run(seeds, settings)
        if as_json:
            summary.summary_json(result)
        elif not quiet:
            summary.summary(result, data)
        metrics = config.metrics.file or folder / "metrics.prom"
        for problem in tell(result, config.notify, folder) + write_metrics(result, folder, metrics):
            click.echo(f"alsoread: {problem}", err=True)
    shutdown.leave(result.exit_code)
