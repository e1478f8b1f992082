"""`alsoread accept`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click
from sqlite_utils import Database

from crawler.cli.options import data_folder, told
from crawler.items import Article, Visit
from crawler.settings import ALSOREAD_SCOPE
from pipelines import articles
from pipelines.catalog import hold, read
from pipelines.doubtful import file_of
from pipelines.errors import ArchiveError
from pipelines.normalize import normalize
from pipelines.store import Store


@click.command()
@click.argument("article")
@data_folder
@told
def accept(article: str, data: str) -> None:
    """Take the page of ARTICLE that was kept to be looked at: ARTICLE is its address, or the path of its file.

    What the archive held stays as a revision.
    """
    path = Path(data) / "archive.db"
    with closing(read(path)) as db:
        url = articles.load(db, articles.find(db, article)).url
    file = file_of(path.parent, url)
    if not file.is_file():
        raise ArchiveError(
            f"No page of {url} waits to be looked at: `alsoread status --failed` tells which do.", 2
        )
    new = _read(file, url)
    with hold(path) as db:
        _store(db, path.parent / "articles", new)
    file.unlink()
    click.echo(
        f"Taken: {url} has {len(new.body.split()):,} words now. `alsoread diff {url}` shows what changed."
    )


def _read(file: Path, url: str) -> Article:
    from crawler.extractors import extract

    found = extract(file.read_bytes(), url)
    new = normalize(found) if found else None
    if new is None or not new.body:
        raise ArchiveError(f"{file} does not read as an article: there is nothing to take.", 2)
    return new


def _store(db: Database, root: Path, new: Article) -> None:
    """As a visit of the last crawl: it is no crawl of its own, and a run that was interrupted still goes on."""
    last = db.execute("SELECT max(id) FROM crawls").fetchone()[0]
    store = Store(db, root, scope=ALSOREAD_SCOPE, retry_delays=[], crawl=last)
    (result,) = store.commit([Visit(url=new.url, state="stored", article=new)])
    if isinstance(result, Exception):
        raise result
