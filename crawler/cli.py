"""The `alsoread` command."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import Any

import click

from crawler.seeds import SeedError
from crawler.urls import canonical
from pipelines.catalog import read
from pipelines.errors import ArchiveError

_CANONICAL = re.compile(rb"""<link[^>]+rel=["']?canonical["']?[^>]+href=["']([^"'>\s]+)""", re.IGNORECASE)

_DAMAGED = 7

_data = click.option(
    "--data", default="data", show_default=True, metavar="DIR", help="The folder of the archive."
)


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Turns an expected error into one sentence and its exit code."""

    @wraps(command)
    def told(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (ArchiveError, SeedError) as error:
            click.echo(f"alsoread: {error}", err=True)
            sys.exit(error.exit_code)
        except sqlite3.Error as error:
            click.echo(f"alsoread: The catalog is damaged, or no catalog: {error}.", err=True)
            sys.exit(_DAMAGED)

    return told


def _loopback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from scrapy.settings import BaseSettings

    from crawler.net import connect_to

    try:
        connect_to(BaseSettings({"ALSOREAD_CONNECT_TO": value}))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


@click.group()
@click.version_option(package_name="alsoread")
def main() -> None:
    """Follow the also-read graph of the techidaily blogs and archive every article exactly."""


@main.command()
@click.argument("seeds", nargs=-1)
@_data
@click.option("--max-pages", type=click.IntRange(1), help="Pages that this run fetches at most.")
@click.option("--max-depth", type=click.IntRange(0), help="Also-read links between a seed and a page.")
@click.option("--hosts", multiple=True, metavar="GLOB", help="Only hosts such as this; repeatable.")
@click.option("--discover", type=click.Choice(["links", "sitemaps", "both"]), help="Where pages come from.")
@click.option("--delay", type=click.FloatRange(0), help="Seconds between two requests to one host.")
@click.option("--rate", type=click.FloatRange(0), help="Requests a second over all hosts; 0 = no limit.")
@click.option(
    "--connect-to", metavar="URL", callback=_loopback, help="A loopback server that stands in for every host."
)
@click.option(
    "--recrawl",
    type=click.Choice(["all", "due", "none"]),
    help="Pages fetched before: all, those that are due (the default), or none.",
)
@click.option("--retry-failed", is_flag=True, default=None, help="Also try all pages again that failed.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@_told
def crawl(seeds: tuple[str, ...], data: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Archive what the SEEDS lead to: addresses, hosts, files of them, or Markdown posts."""
    from crawler import report
    from crawler.run import crawl as run
    from crawler.run import settings_with

    style = "none" if quiet else "live" if sys.stderr.isatty() else "lines"
    settings = settings_with(
        {
            "ALSOREAD_DATA": data,
            "ALSOREAD_PROGRESS": style,
            "ALSOREAD_MAX_PAGES": options["max_pages"],
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
    result = run(seeds, settings)
    if as_json:
        report.summary_json(result)
    elif not quiet:
        report.summary(result, data)
    sys.exit(result.exit_code)


@main.command()
@_data
@click.option("--failed", is_flag=True, help="The pages that failed, with their last errors.")
@click.option("--all", "everything", is_flag=True, help="With --failed: all of them, not only the first 50.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with --failed all of them.")
@_told
def status(data: str, failed: bool, everything: bool, as_json: bool) -> None:
    """Tell what the archive holds."""
    from crawler import failures, report

    if everything and not failed:
        raise click.UsageError("--all goes with --failed.")
    with closing(read(Path(data) / "archive.db")) as db:
        if failed and as_json:
            failures.failed_json(db)
        elif failed:
            failures.failed(db, data, everything)
        elif as_json:
            report.status_json(db)
        else:
            report.status(db, data)


@main.command()
@click.argument("article")
@_data
@_told
def show(article: str, data: str) -> None:
    """Print one article: ARTICLE is its address, or the path of its file."""
    from crawler import report
    from pipelines import articles

    with closing(read(Path(data) / "archive.db")) as db:
        report.article(articles.load(db, articles.find(db, article)))


@main.command()
@click.argument("article")
@_data
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@_told
def history(article: str, data: str, as_json: bool) -> None:
    """List the revisions of one article: ARTICLE is its address, or the path of its file."""
    from crawler import history
    from pipelines import articles

    with closing(read(Path(data) / "archive.db")) as db:
        page = articles.find(db, article)
        (history.history_json if as_json else history.history)(db, page)


@main.command()
@click.argument("article")
@click.argument("revision", type=int, required=False)
@_data
@_told
def diff(article: str, revision: int | None, data: str) -> None:
    """Show what a REVISION of an ARTICLE changed: its number in the history, by default the newest."""
    from crawler import history
    from pipelines import articles

    with closing(read(Path(data) / "archive.db")) as db:
        history.diff(db, articles.find(db, article), revision)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", help="The page's address; by default the one that the page gives as its own.")
@_told
def extract(file: Path, url: str | None) -> None:
    """Print what the archive would hold for a saved page."""
    from crawler import report
    from crawler.extractors import extract as read_page
    from pipelines.normalize import normalize

    html = file.read_bytes()
    own = _CANONICAL.search(html)
    if not (url or own):
        raise click.UsageError(f"{file} does not say what its address is: name it with --url.")
    article = read_page(html, canonical(url or own[1].decode()))  # type: ignore[index]
    if article is None:
        click.echo(f"alsoread: {file} is no article.", err=True)
        sys.exit(1)
    report.article(normalize(article))
