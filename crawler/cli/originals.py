"""Commands that read what was fetched: `alsoread original`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from crawler.cli.options import data_folder, reports_errors
from crawler.text import escape_controls
from pipelines.archive import articles, lookup, quarantine, records
from pipelines.archive.connection import open_current


@click.command()
@click.argument("page")
@click.option("--headers", is_flag=True, help="Print the status line and the headers too.")
@click.option("--version", type=click.IntRange(1), metavar="N", help="The revision N of `alsoread history`.")
@click.option("--quarantined", is_flag=True, help="The version that waits for `alsoread accept`.")
@data_folder
@reports_errors
def original(page: str, headers: bool, version: int | None, quarantined: bool, data: str) -> None:
    """Print a page as it was fetched.

    PAGE is an article, as for `alsoread show`, or any address that was fetched, such as a robots.txt. Only transfer
    encoding and compression are removed. On a terminal, control characters are made visible.

    \b
    Examples:
      alsoread original sharpen-a-knife > page.html
      alsoread original https://howto.techidaily.com/sharpen-a-knife/ --version 1
      alsoread original https://howto.techidaily.com/robots.txt --headers
    """
    from pipelines.originals.read import read

    with closing(open_current(Path(data) / "archive.db")) as db:
        if quarantined:
            record = quarantine.record_of(db, articles.load(db, lookup.find(db, page)).url)
        elif version or (found := records.last_at(db, page)) is None:
            record = records.of_article(db, lookup.find(db, page), version)
        else:
            record = found
        response = read(db, Path(data), record)
    output = (response.head if headers else b"") + response.content
    if sys.stdout.isatty():
        click.echo(escape_controls(output.decode(errors="replace")))
    else:
        sys.stdout.buffer.write(output)
