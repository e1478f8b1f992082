"""Merge another archive into this one: all of it, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from crawler.errors import CatalogError, LockedError, UsageError
from crawler.items import Article
from pipelines.archive import articles
from pipelines.archive.article_file import path_of, render
from pipelines.archive.files import Put, files_unwritten, files_written
from pipelines.archive.lock import is_locked, lock_owner
from pipelines.archive.pending import committed_together, rolled_back
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.images.paths import FOLDER
from pipelines.merging.check import check, time_limit
from pipelines.merging.identity import drop_maps, map_rows
from pipelines.merging.images import merge_images
from pipelines.merging.originals import copy_files
from pipelines.merging.rows import merge_rows

Writing = Callable[[Path], AbstractContextManager[Put]]
"""Opens a folder for the files of a merge."""

_MAX_SECONDS = 3_600
"""A merge of a million pages takes minutes; a damaged catalog may never end."""


class Merged(NamedTuple):
    """Counts of what a merge added."""

    articles: int
    """Articles that this archive did not have."""
    newer: int
    """Articles that this archive had, of which the other one's copy is the current one now."""
    revisions: int
    pages: int
    runs: int
    pictures: int = 0
    """Files of images."""


def merge(db: Database, data: Path, other: Path, *, dry_run: bool = False) -> Merged:
    """Merge the archive of the catalog `other` into the one in the folder `data`, which this process holds.

    Merging it once more changes nothing. With `dry_run`, it is counted and undone. Raises AlsoreadError; then
    nothing was merged.
    """
    check(other)
    if other.samefile(data / "archive.db"):
        raise UsageError(f"{other} is the archive itself.")
    if is_locked(other):
        raise LockedError(lock_owner(other))
    transaction = rolled_back(db) if dry_run else committed_together(db, data)
    try:
        with _attached(db, other), transaction, time_limit(db.conn, _MAX_SECONDS):
            if not dry_run:
                copy_files(data, other.parent)
            return _merge(db, data, other, files_unwritten if dry_run else files_written)
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, OSError) or ends_run(error):
            reason = explain(error, data)
            raise type(reason)(f"{reason} Nothing of {other} was merged.") from None
        raise CatalogError(
            f"{other} can't be merged: {error}. Nothing was merged: `alsoread verify` it first."
        ) from None


@contextmanager
def _attached(db: Database, other: Path) -> Iterator[None]:
    """Attach the other catalog as `other` for reading."""
    db.execute("ATTACH ? AS other", [f"{other.absolute().as_uri()}?mode=ro"])
    try:
        yield
    finally:
        db.execute("DETACH other")


def _merge(db: Database, data: Path, other: Path, writing: Writing) -> Merged:
    before = _count(db, "SELECT count(*) FROM revisions")
    map_rows(db)
    merge_rows(db)
    with writing(data / "articles") as put:
        _write_files(db, other, put)
    with writing(data / FOLDER) as put:
        copies = merge_images(db, other, put)
    merged = Merged(
        articles=_count(db, "SELECT count(*) FROM page_map WHERE copy AND NOT held"),
        newer=_count(db, "SELECT count(*) FROM page_map WHERE copy AND held"),
        revisions=_count(db, "SELECT count(*) FROM revisions") - before,
        pages=_count(db, "SELECT count(*) FROM page_map WHERE fresh"),
        runs=_count(db, "SELECT count(*) FROM run_map WHERE fresh"),
        pictures=copies,
    )
    drop_maps(db)
    return merged


def _count(db: Database, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _load(db: Database, page: int, other: Path) -> tuple[Article, bytes]:
    """Load a merged article, and render its file. Raises CatalogError where its row is not valid."""
    try:
        article = articles.load(db, page)
        content = render(article).encode()
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CatalogError(
            f"{other} can't be merged: the row of its article {page} is not valid ({error}). Nothing was merged.",
        ) from None
    return article, content


def _write_files(db: Database, other: Path, put: Put) -> None:
    """Write the files of merged articles. Raises CatalogError where a row is not what was archived."""
    for page, file_hash, grams in db.execute(
        "SELECT id, file_hash, grams FROM main.articles WHERE id IN (SELECT new FROM page_map WHERE copy)"
    ).fetchall():
        article, content = _load(db, page, other)
        if grams != (own := articles.grams(article)):  # a search would find what the article does not have
            db.execute("UPDATE main.articles SET grams = ? WHERE id = ?", [own, page])
        written = put(path_of(article.url), content)
        if file_hash is None:
            db.execute("UPDATE main.articles SET file_hash = ? WHERE id = ?", [written, page])
        elif file_hash != written:
            raise CatalogError(
                f"{other} is damaged: {article.url} is not what was archived. "
                f"`alsoread verify --repair --data {other.parent}` repairs what it can; nothing was merged.",
            )
