"""One archive is taken into another: all of it, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from pipelines import articles
from pipelines.catalog import holder, is_held, read
from pipelines.errors import ArchiveError
from pipelines.markdown import write
from pipelines.merging import pictures
from pipelines.merging.choice import choose, forget
from pipelines.merging.rows import take_over


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
    read(other).close()
    if other.samefile(data / "archive.db"):
        raise ArchiveError(f"{other} is the archive itself.", 2)
    if is_held(other):
        raise ArchiveError(holder(other), 5)
    try:
        with _beside(db, other):
            return _merge(db, data, other)
    except sqlite3.Error as error:
        raise ArchiveError(
            f"{other} can't be merged: {error}. Nothing was: `alsoread verify` it first.", 7
        ) from None
    except OSError as error:
        raise ArchiveError(
            f"{data} can't be written: {error.strerror}. Nothing of {other} was merged.", 6
        ) from None


@contextmanager
def _beside(db: Database, other: Path) -> Iterator[None]:
    """All that is written in the block, or nothing; the other catalog is attached for reading meanwhile."""
    db.execute("ATTACH ? AS other", [f"{other.absolute().as_uri()}?mode=ro"])
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.conn.commit()
        except BaseException:
            db.conn.rollback()
            raise
    finally:
        db.execute("DETACH other")


def _merge(db: Database, data: Path, other: Path) -> Merged:
    before = _count(db, "SELECT count(*) FROM revisions")
    choose(db)
    take_over(db)
    _files(db, data / "articles", other)
    copies = pictures.take_over(db, data, other)
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


def _files(db: Database, root: Path, other: Path) -> None:
    """Writes the files of the copies that are current now. Raises ArchiveError where a row is not what it was."""
    for page, file_hash in db.execute(
        "SELECT id, file_hash FROM main.articles WHERE id IN (SELECT new FROM page_map WHERE copy)"
    ).fetchall():
        article = articles.load(db, page)
        if file_hash is None:
            db.execute(
                "UPDATE main.articles SET file_hash = ? WHERE id = ?", [articles.hash_of_file(article), page]
            )
        elif file_hash != articles.hash_of_file(article):
            raise ArchiveError(
                f"{other} is damaged: {article.url} is not what was archived. "
                f"`alsoread verify --repair --data {other.parent}` mends what can be; nothing was merged.",
                7,
            )
        write(root, article)
