"""Detect fields that an archived article lost when its page was read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any

from sqlite_utils import Database

from crawler.items import Article
from pipelines.archive import pages

_FIELDS = ("title", "author", "date", "also_read")
_MIDNIGHT = "T00:00:00.000Z"


def find(db: Database, page: dict[str, Any], has: Article) -> list[str]:
    """Return the fields that a new reading lost, as in docs/catalog.md; `page` is its row before, of pages.find().

    Where a page no longer shows an author or date, an extractor may mistake some other text for it. So another author
    counts too, and a date without its time of day. Other dates do not: some blogs move them with each publish.
    """
    if not page["archived"]:
        return []
    had = pages.first(
        db,
        """SELECT title, author, author_source, date,
                  EXISTS (SELECT 1 FROM also_read WHERE source = articles.id AND position IS NOT NULL) AS also_read
           FROM articles WHERE id = ?""",
        page["id"],
    )
    assert had is not None  # noqa: S101
    lost = [name for name in _FIELDS if had[name] and not getattr(has, name)]
    if had["date"] and has.date and has.date.time() == time.min and not had["date"].endswith(_MIDNIGHT):
        lost.append("date")
    # An older alsoread, which noted no source, knew few bylines: that another author is found is no loss.
    other = has.author and had["author_source"] and had["author"] not in (None, has.author)
    if other and not _had_before(db, page["id"], str(has.author)):
        lost.append("other_author")
    return lost


def _had_before(db: Database, page: int, author: str) -> bool:
    """Return whether a revision has the author, who comes back after a fault."""
    query = "SELECT 1 FROM revisions WHERE article = ? AND author = ? LIMIT 1"
    return db.execute(query, [page, author]).fetchone() is not None


def record(db: Database, crawl: int, page: int, lost: Sequence[str]) -> None:
    """Store lost fields, in the caller's transaction."""
    for name in lost:
        db.execute("INSERT OR IGNORE INTO losses (crawl, page, field) VALUES (?, ?, ?)", [crawl, page, name])
