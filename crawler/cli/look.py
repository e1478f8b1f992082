"""The commands that only look: at an archive, at an article, at a saved page."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path

import click

from crawler.cli.options import data_folder, reports_errors
from crawler.errors import ArchiveError
from crawler.text import escape_controls
from crawler.urls import canonical
from pipelines.archive.catalog import read

_CANONICAL = re.compile(rb"""<link[^>]+rel=["']?canonical["']?[^>]+href=["']([^"'>\s]+)""", re.IGNORECASE)


@click.command()
@data_folder
@click.option("--failed", is_flag=True, help="The pages that failed, with their last errors.")
@click.option("--all", "everything", is_flag=True, help="With --failed: all of them, not only the first 50.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with --failed all of them.")
@reports_errors
def status(data: str, failed: bool, everything: bool, as_json: bool) -> None:
    """Tell what the archive holds."""
    from crawler.reports import failures, summary

    if everything and not failed:
        raise click.UsageError("--all goes with --failed.")
    with closing(read(Path(data) / "archive.db")) as db:
        if failed and as_json:
            failures.failed_json(db, data)
        elif failed:
            failures.failed(db, data, everything)
        elif as_json:
            summary.status_json(db)
        else:
            summary.status(db, data)


@click.command()
@click.argument("article")
@data_folder
@reports_errors
def show(article: str, data: str) -> None:
    """Print one article: ARTICLE is its address, or the path of its file.

    Control characters are made visible; the file itself has them as they are.
    """
    from crawler.reports import summary
    from pipelines.archive import articles

    with closing(read(Path(data) / "archive.db")) as db:
        summary.article(articles.load(db, articles.find(db, article)))


@click.command()
@click.argument("article")
@data_folder
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@reports_errors
def history(article: str, data: str, as_json: bool) -> None:
    """List the revisions of one article: ARTICLE is its address, or the path of its file."""
    from crawler.reports import history
    from pipelines.archive import articles

    with closing(read(Path(data) / "archive.db")) as db:
        page = articles.find(db, article)
        (history.history_json if as_json else history.history)(db, page)


@click.command()
@click.argument("article")
@click.argument("revision", type=int, required=False)
@data_folder
@reports_errors
def diff(article: str, revision: int | None, data: str) -> None:
    """Show what a REVISION of an ARTICLE changed: its number in the history, by default the newest."""
    from crawler.reports import history
    from pipelines.archive import articles

    with closing(read(Path(data) / "archive.db")) as db:
        history.diff(db, articles.find(db, article), revision)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", help="The page's address; by default the one that the page gives as its own.")
@reports_errors
def extract(file: Path, url: str | None) -> None:
    """Print what the archive would hold for a saved page."""
    from crawler.extractors import extract as read_page
    from crawler.reports import summary
    from pipelines.normalize import normalize

    try:
        html = file.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{file} can't be read: {error.strerror}.", 2) from None
    own = _CANONICAL.search(html)
    if not (url or own):
        raise click.UsageError(f"{file} does not say what its address is: name it with --url.")
    article = read_page(html, canonical(url or own[1].decode()))  # type: ignore[index]
    if article is None:
        click.echo(escape_controls(f"alsoread: {file} is no article."), err=True)
        sys.exit(1)
    summary.article(normalize(article))
