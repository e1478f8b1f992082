"""`alsoread accept`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click
from sqlite_utils import Database

from crawler.cli.options import data_folder, host_filter, reports_errors
from crawler.errors import ArchiveError
from crawler.items import Article, Visit
from crawler.settings import ALSOREAD_SCOPE
from pipelines.archive import articles, quarantine
from pipelines.archive.catalog import hold, read
from pipelines.archive.storage_errors import explain
from pipelines.archive.store import Store
from pipelines.normalize import normalize
from pipelines.quarantine import drop, file_of
from pipelines.validate import validate


@click.command()
@click.argument("wanted", metavar="[ARTICLE]...", nargs=-1)
@host_filter
@data_folder
@reports_errors
def accept(wanted: tuple[str, ...], hosts: tuple[str, ...], data: str) -> None:
    """Accept the quarantined pages of ARTICLEs: each is an address, or the path of a file.

    What the archive held stays as a revision.
    """
    if not (wanted or hosts):
        raise click.UsageError("Name an ARTICLE, or hosts with --host.")
    path = Path(data) / "archive.db"
    with closing(read(path)) as db:
        urls = [articles.load(db, articles.find(db, article)).url for article in wanted]
        urls = list(dict.fromkeys([*urls, *quarantine.urls_of(db, hosts)]))
    if not urls:
        raise ArchiveError(f"No page of {', '.join(hosts)} is in quarantine.", 2)
    exit_code = 0
    with hold(path) as db:
        store = _store(db, path.parent / "articles")
        for url in urls:
            try:
                _accept(store, path.parent, url)
            except ArchiveError as error:
                click.echo(f"alsoread: {error}", err=True)
                exit_code = error.exit_code
    sys.exit(exit_code)


def _accept(store: Store, data: Path, url: str) -> None:
    file = file_of(data, url)
    if not file.is_file():
        raise ArchiveError(
            f"{url} is not in quarantine: `alsoread status --failed` tells which pages are.", 2
        )
    new, cut_off = _read(file, url)
    visit = Visit(url=new.url, state="stored", article=new, cut_off=cut_off)
    # A person has compared it with the archived copy.
    (result,) = store.commit([validate(visit, archived=None)])
    if isinstance(result, OSError):  # the other pages may still be accepted
        raise explain(result, data)
    if isinstance(result, Exception):
        raise result
    drop(data, url)
    click.echo(
        f"Accepted: {url} has {len(new.body.split()):,} words now. `alsoread diff {url}` shows what changed."
    )


def _read(file: Path, url: str) -> tuple[Article, bool]:
    from crawler.extractors import read as read_page

    try:
        found, cut_off = read_page(file.read_bytes(), url)
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{file} cannot be read: {error}.", 2) from None
    new = normalize(found) if found else None
    if new is None or not new.body.strip():
        raise ArchiveError(f"{file} does not read as an article: there is nothing to accept.", 2)
    return new, cut_off


def _store(db: Database, root: Path) -> Store:
    """As in a visit of the last crawl: it is no crawl of its own, and a run that was interrupted still resumes."""
    last = db.execute("SELECT max(id) FROM crawls").fetchone()[0]
    return Store(db, root, scope=ALSOREAD_SCOPE, retry_delays=[], crawl=last)
