"""One archive is taken into another: all of it, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from crawler.errors import ArchiveError
from crawler.items import Article
from pipelines.archive import articles
from pipelines.archive.article_file import path_of, render
from pipelines.archive.catalog import holder, is_held
from pipelines.archive.files import files_written
from pipelines.archive.pending import committed_together
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.merging import images
from pipelines.merging.check import check, time_limit
from pipelines.merging.identity import choose, forget
from pipelines.merging.rows import take_over

_MAX_SECONDS = 3_600
"""A merge of a million pages takes minutes; a damaged catalog may never end."""


class Merged(NamedTuple):
    """What an archive brought."""

    articles: int
    """That were not here."""
    newer: int
    """Copies of articles that were here, which are the current ones now."""
    revisions: int
    pages: int
    runs: int
    pictures: int = 0
    """Copies of pictures that came."""


def merge(db: Database, data: Path, other: Path) -> Merged:
    """Takes all of the catalog `other` into the one in the folder `data`, which is held for writing; or nothing.

    Done twice, it changes nothing. Raises ArchiveError.
    """
    check(other)
    if other.samefile(data / "archive.db"):
        raise ArchiveError(f"{other} is the archive itself.", 2)
    if is_held(other):
        raise ArchiveError(holder(other), 5)
    try:
        with _attached(db, other), committed_together(db, data), time_limit(db.conn, _MAX_SECONDS):
            return _merge(db, data, other)
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, OSError) or ends_run(error):
            reason = explain(error, data)
            raise ArchiveError(f"{reason} Nothing of {other} was merged.", reason.exit_code) from None
        raise ArchiveError(
            f"{other} can't be merged: {error}. Nothing was merged: `alsoread verify` it first.", 7
        ) from None


@contextmanager
def _attached(db: Database, other: Path) -> Iterator[None]:
    """Attach the other catalog as `other` for reading."""
    db.execute("ATTACH ? AS other", [f"{other.absolute().as_uri()}?mode=ro"])
    try:
        yield
    finally:
        db.execute("DETACH other")


def _merge(db: Database, data: Path, other: Path) -> Merged:
    before = _count(db, "SELECT count(*) FROM revisions")
    choose(db)
    take_over(db)
    _files(db, data / "articles", other)
    copies = images.take_over(db, data, other)
    merged = Merged(
        articles=_count(db, "SELECT count(*) FROM page_map WHERE copy AND NOT held"),
        newer=_count(db, "SELECT count(*) FROM page_map WHERE copy AND held"),
        revisions=_count(db, "SELECT count(*) FROM revisions") - before,
        pages=_count(db, "SELECT count(*) FROM page_map WHERE fresh"),
        runs=_count(db, "SELECT count(*) FROM run_map WHERE fresh"),
        pictures=copies,
    )
    forget(db)
    return merged


def _count(db: Database, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _load(db: Database, page: int, other: Path) -> tuple[Article, bytes]:
    """An article that came, and its file; whatever its row says. Raises ArchiveError."""
    try:
        article = articles.load(db, page)
        content = render(article).encode()
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ArchiveError(
            f"{other} can't be merged: the row of its article {page} is not valid ({error}). Nothing was merged.",
            7,
        ) from None
    return article, content


def _files(db: Database, root: Path, other: Path) -> None:
    """Writes the files of the copies that are current now. Raises ArchiveError where a row is not what it was."""
    with files_written(root) as put:
        for page, file_hash in db.execute(
            "SELECT id, file_hash FROM main.articles WHERE id IN (SELECT new FROM page_map WHERE copy)"
        ).fetchall():
            article, content = _load(db, page, other)
            written = put(path_of(article.url), content)
            if file_hash is None:
                db.execute("UPDATE main.articles SET file_hash = ? WHERE id = ?", [written, page])
            elif file_hash != written:
                raise ArchiveError(
                    f"{other} is damaged: {article.url} is not what was archived. "
                    f"`alsoread verify --repair --data {other.parent}` mends what can be; nothing was merged.",
                    7,
                )
