"""Commands that print one article: `alsoread show`, `history`, `diff` and `extract`."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path

import click

from crawler.cli.options import data_folder, json_flag, reports_errors
from crawler.errors import UnreadablePage, UsageError
from crawler.exit_codes import ALARMS
from crawler.items import Article
from crawler.text import escape_controls
from crawler.urls import canonical
from pipelines.archive import articles, lookup, records
from pipelines.archive.connection import open_current, open_readonly

_CANONICAL = re.compile(rb"""<link[^>]+rel=["']?canonical["']?[^>]+href=["']([^"'>\s]+)""", re.IGNORECASE)


@click.command()
@click.argument("article")
@data_folder
@reports_errors
def show(article: str, data: str) -> None:
    """Print an article.

    ARTICLE is an address, the path of a file, or the last part of an address that no other article has.
    Control characters are made visible; the file has them as they are.

    \b
    Examples:
      alsoread show https://howto.techidaily.com/sharpen-a-knife/
      alsoread show data/articles/howto.techidaily.com/sharpen-a-knife.md
      alsoread show sharpen-a-knife
    """
    from crawler.reports.article import print_article

    with closing(open_readonly(Path(data) / "archive.db")) as db:
        print_article(articles.load(db, lookup.find(db, article)))


@click.command()
@click.argument("article")
@data_folder
@json_flag
@reports_errors
def history(article: str, data: str, as_json: bool) -> None:
    """List the revisions of an article.

    ARTICLE is an address, the path of a file, or the last part of an address that no other article has.

    \b
    Examples:
      alsoread history https://howto.techidaily.com/sharpen-a-knife/
      alsoread history sharpen-a-knife --json
    """
    from crawler.reports.history import print_history, print_history_json

    with closing(open_readonly(Path(data) / "archive.db")) as db:
        page = lookup.find(db, article)
        if as_json:
            print_history_json(db, page)
        else:
            print_history(db, page)


@click.command()
@click.argument("article")
@click.argument("revision", type=int, required=False)
@data_folder
@reports_errors
def diff(article: str, revision: int | None, data: str) -> None:
    """Show what a revision of an article changed.

    ARTICLE is an address, the path of a file, or the last part of an address that no other article has.
    REVISION is a number in its history, the newest by default.

    \b
    Examples:
      alsoread diff https://howto.techidaily.com/sharpen-a-knife/
      alsoread diff sharpen-a-knife 2
    """
    from crawler.reports.history import print_diff

    with closing(open_readonly(Path(data) / "archive.db")) as db:
        print_diff(db, lookup.find(db, article), revision)


def _file_or_address(ctx: click.Context, param: click.Parameter, value: str) -> Path | str:
    """Return the address as it is, and the path of a file. Raises a usage error where there is no such file."""
    if value.startswith(("https://", "http://")):
        return value
    path: Path = click.Path(exists=True, dir_okay=False, path_type=Path).convert(value, param, ctx)
    return path


@click.command()
@click.argument("source", metavar="FILE|URL", callback=_file_or_address)
@click.option("--url", help="Address of a file's page; by default its own canonical link.")
@data_folder
@reports_errors
def extract(source: Path | str, url: str | None, data: str) -> None:
    """Print the article that the archive would make of a page.

    The page is a file, or the original of the archived article at an address. The exit code is 1 if the page is not
    an article.

    \b
    Examples:
      alsoread extract page.html
      alsoread extract page.html --url https://howto.techidaily.com/sharpen-a-knife/
      alsoread extract https://howto.techidaily.com/sharpen-a-knife/
    """
    from crawler.reports.article import print_article

    try:
        article = _of_file(source, url) if isinstance(source, Path) else _of_original(Path(data), source)
    except UnreadablePage as error:
        raise UsageError(f"{source} can't be read: {error}.") from None
    if article is None:
        click.echo(escape_controls(f"alsoread: {source} is not an article."), err=True)
        sys.exit(ALARMS)
    print_article(article)


def _of_file(file: Path, url: str | None) -> Article | None:
    from crawler.extractors import extract as extract_article
    from pipelines.normalize import normalize

    try:
        html = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from None
    if url is None:
        link = _CANONICAL.search(html)
        if link is None:
            raise click.UsageError(f"{file} has no canonical link; give its address with --url.")
        url = link[1].decode()
    article = extract_article(html, canonical(url))
    return normalize(article) if article else None


def _of_original(data: Path, url: str) -> Article | None:
    from crawler.runs.reread import read_original

    with closing(open_current(data / "archive.db")) as db:
        page = lookup.find(db, url)
        (address,) = db.execute("SELECT url FROM articles WHERE id = ?", [page]).fetchone()
        return read_original(db, data, address, records.of_article(db, page)).article
