"""Read the chosen articles from a catalog, as they all were at one moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlite_utils import Database

from crawler import shutdown
from crawler.errors import UsageError
from pipelines.archive.articles import COLUMNS
from pipelines.archive.selection import ArticleFilter, where_clause
from pipelines.archive.storage_errors import ends_run
from pipelines.export.worker import ArticleRow

_STEPS_BETWEEN_SIGNALS = 1_000_000
"""Instructions of SQLite's machine, a few milliseconds, between two moments at which signals are handled."""

_ASKED = "(SELECT value FROM json_each(?))"
_IMAGES = f"SELECT article, url, alt, title FROM images WHERE article IN {_ASKED} ORDER BY article, position"
_LINKS = f"""
SELECT source, pages.url, also_read.text FROM also_read JOIN pages ON pages.id = also_read.target
WHERE source IN {_ASKED} AND position IS NOT NULL ORDER BY source, position
"""
_COPIES = """
SELECT url, path, hash, fetched_at FROM pictures WHERE state = 'stored' AND url IN (
  SELECT url FROM images WHERE article IN (SELECT id FROM articles WHERE {chosen})
  UNION SELECT thumbnail FROM articles WHERE {chosen})
ORDER BY url
"""
_ALIASES = f"SELECT moved_to, url FROM pages WHERE moved_to IN {_ASKED} ORDER BY url"
_ROWS = f"SELECT id, {', '.join(COLUMNS)} FROM articles WHERE id IN {_ASKED}"


class Head(NamedTuple):
    """An article before its text is read."""

    page: int
    url: str
    path: str
    """Of its file in the archive itself."""
    row: dict[str, Any]
    """`archived_at`, `changed_at` and the columns that were asked for."""


class Source:
    """The chosen articles of a catalog, while a crawl may go on writing it. Raises AlsoreadError.

    A signal whose step raises ends a query with an OperationalError.
    """

    def __init__(self, db: Database, articles: ArticleFilter) -> None:
        self._db = db
        db.conn.set_progress_handler(_let_signals_in, _STEPS_BETWEEN_SIGNALS)
        db.execute("BEGIN")
        self._where, self._values = where_clause(db, articles)
        count = f"SELECT count(*) FROM articles WHERE {self._where}"
        try:
            self.count: int = db.execute(count, self._values).fetchone()[0]
        except sqlite3.Error as error:
            if articles.where is None or shutdown.is_asked() or ends_run(error):
                raise
            raise UsageError(f"--where {articles.where!r} can't be evaluated: {error}.") from None
        if not self.count:
            raise UsageError("No article of the archive is what was asked for: nothing was exported.")

    def hosts(self) -> set[str]:
        """Return every host that the archive knows."""
        return {row[0] for row in self._db.execute("SELECT host FROM hosts")}

    def heads(self, columns: Sequence[str]) -> Iterator[Head]:
        """Give the chosen articles in the order of their pages."""
        wanted = ["archived_at", "changed_at", *columns]
        query = f"SELECT id, url, path, {', '.join(wanted)} FROM articles WHERE {self._where} ORDER BY id"
        for page, url, path, *values in self._db.execute(query, self._values):
            yield Head(page, url, path, dict(zip(wanted, values, strict=True)))

    def copies(self) -> Iterator[tuple[str, str, str, str]]:
        """Give the copies of the chosen articles' pictures: address, path, hash, time of the fetch."""
        yield from self._db.execute(_COPIES.format(chosen=self._where), self._values)

    def copies_of(self, urls: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return path and hash of the copies of these pictures, by address."""
        query = f"SELECT url, path, hash FROM pictures WHERE url IN {_ASKED}"
        return {url: (path, hash_) for url, path, hash_ in self._db.execute(query, [json.dumps(urls)])}

    def redirects(self) -> Iterator[tuple[str, int]]:
        """Give the addresses that redirect to a page, each with that page."""
        yield from self._db.execute("SELECT url, moved_to FROM pages WHERE moved_to IS NOT NULL")

    def rows(self, pages: Sequence[int]) -> dict[int, ArticleRow]:
        """Return the articles of these pages."""
        asked = [json.dumps(pages)]
        images: dict[int, list[Any]] = {page: [] for page in pages}
        links: dict[int, list[Any]] = {page: [] for page in pages}
        for page, *image in self._db.execute(_IMAGES, asked):
            images[page].append(tuple(image))
        for page, *link in self._db.execute(_LINKS, asked):
            links[page].append(tuple(link))
        return {
            page: ArticleRow(tuple(values), images[page], links[page])
            for page, *values in self._db.execute(_ROWS, asked)
        }

    def aliases(self, pages: Sequence[int]) -> dict[int, list[str]]:
        """Return the addresses that redirect to these pages."""
        aliases: dict[int, list[str]] = {page: [] for page in pages}
        for page, url in self._db.execute(_ALIASES, [json.dumps(pages)]):
            aliases[page].append(url)
        return aliases


def _let_signals_in() -> None:
    """Do nothing: Python handles signals between two of its own instructions, of which a query has none."""
