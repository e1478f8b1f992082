"""Read the chosen articles from a catalog, as they all were at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlite_utils import Database

from crawler.errors import UsageError
from pipelines.archive.articles import COLUMNS
from pipelines.archive.selection import ArticleFilter, count_chosen, where_clause
from pipelines.export.flavours.item import ArticleRow

_STEPS_BETWEEN_SIGNALS = 1_000_000
"""Instructions of SQLite's machine, a few milliseconds, between two moments at which signals are handled."""

_IMAGES = "SELECT url, alt, title FROM images WHERE article = ? ORDER BY position"
_LINKS = """
SELECT pages.url, also_read.text FROM also_read JOIN pages ON pages.id = also_read.target
WHERE source = ? AND position IS NOT NULL ORDER BY position
"""
_COPIES = """
SELECT url, path, fetched_at FROM pictures WHERE state = 'stored' AND url IN (
  SELECT url FROM images WHERE article IN (SELECT id FROM articles WHERE {chosen})
  UNION SELECT thumbnail FROM articles WHERE {chosen})
ORDER BY url
"""
_ROW = f"SELECT {', '.join(COLUMNS)} FROM articles WHERE id = ?"


class Head(NamedTuple):
    """An article before its text is read."""

    page: int
    url: str
    path: str
    """Of its file in the archive itself."""
    row: dict[str, Any]
    """`archived_at`, `changed_at` and the columns that were asked for."""


class Source:
    """Read the chosen articles of a catalog, while a crawl may go on writing it. Raises AlsoreadError.

    A signal whose step raises ends a query with an OperationalError.
    """

    def __init__(self, db: Database, articles: ArticleFilter) -> None:
        self.db = db.conn
        self.db.set_progress_handler(_let_signals_in, _STEPS_BETWEEN_SIGNALS)
        self.db.execute("BEGIN")
        self._where, self._values = where_clause(db, articles)
        self.count = count_chosen(db, articles, self._where, self._values)
        if not self.count:
            raise UsageError("No article of the archive is what was asked for: nothing was exported.")

    def hosts(self) -> set[str]:
        """Return every host that the archive knows."""
        return {host for (host,) in self.db.execute("SELECT host FROM hosts")}

    def heads(self, columns: Sequence[str]) -> Iterator[Head]:
        """Yield the chosen articles in the order of their pages."""
        wanted = ["archived_at", "changed_at", *columns]
        query = f"SELECT id, url, path, {', '.join(wanted)} FROM articles WHERE {self._where} ORDER BY id"
        for page, url, path, *values in self.db.execute(query, self._values):
            yield Head(page, url, path, dict(zip(wanted, values, strict=True)))

    def copies(self) -> Iterator[tuple[str, str, str]]:
        """Yield the copies of the chosen articles' pictures: address, path, time of the fetch."""
        yield from self.db.execute(_COPIES.format(chosen=self._where), self._values)

    def copy(self, url: str) -> tuple[str, str]:
        """Return path and hash of the copy of a picture."""
        row: tuple[str, str] = self.db.execute(
            "SELECT path, hash FROM pictures WHERE url = ?", [url]
        ).fetchone()
        return row

    def row(self, page: int) -> ArticleRow:
        """Return the article of a page."""
        return ArticleRow(
            self.db.execute(_ROW, [page]).fetchone(),
            self.db.execute(_IMAGES, [page]).fetchall(),
            self.db.execute(_LINKS, [page]).fetchall(),
        )

    def aliases(self, page: int) -> list[str]:
        """Return the addresses that redirect to a page."""
        return [
            url for (url,) in self.db.execute("SELECT url FROM pages WHERE moved_to = ? ORDER BY url", [page])
        ]


def _let_signals_in() -> None:
    """Do nothing: Python handles signals between two of its own instructions, of which a query has none."""
