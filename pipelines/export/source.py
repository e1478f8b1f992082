"""What an export reads of a catalog: the articles that were chosen, as they all were at one moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlite_utils import Database

from crawler import shutdown
from crawler.errors import ArchiveError
from pipelines.archive.selection import Choice, condition
from pipelines.archive.storage_errors import ends_run
from pipelines.export.row import COLUMNS, Row

_STEPS_BETWEEN_SIGNALS = 1_000_000
"""Instructions of SQLite's machine, a few milliseconds, between two moments at which signals are handled."""

# What an article's file does not show, or `body_hash` stands for.
_ASIDE = ("body", "words", "extractor", "archived_at", "crawl", "changed_at", "changed_crawl")
# The also-read list and the pictures, where no `file_hash` stands for them; the addresses that lead here.
_LISTS = (
    "CASE WHEN file_hash IS NULL THEN (SELECT group_concat(target || ' ' || position || ' ' || text, char(10))"
    " FROM also_read WHERE source = articles.id AND position IS NOT NULL) END",
    "CASE WHEN file_hash IS NULL THEN (SELECT group_concat(url || ' ' || quote(alt) || quote(title), char(10))"
    " FROM images WHERE article = articles.id) END",
    "(SELECT group_concat(url, char(10)) FROM pages WHERE moved_to = articles.id)",
)

_ASKED = "(SELECT value FROM json_each(?))"
_IMAGES = f"SELECT article, url, alt, title FROM images WHERE article IN {_ASKED} ORDER BY article, position"  # noqa: S608
_LINKS = f"""
SELECT source, pages.url, also_read.text FROM also_read JOIN pages ON pages.id = also_read.target
WHERE source IN {_ASKED} AND position IS NOT NULL ORDER BY source, position
"""  # noqa: S608
_COPIES = """
SELECT url, path, hash, fetched_at FROM pictures WHERE state = 'stored' AND url IN (
  SELECT url FROM images WHERE article IN (SELECT id FROM articles WHERE {chosen})
  UNION SELECT thumbnail FROM articles WHERE {chosen})
ORDER BY url
"""
_LED_HERE = f"SELECT moved_to, url FROM pages WHERE moved_to IN {_ASKED} ORDER BY url"  # noqa: S608
_ROWS = f"SELECT id, {', '.join(COLUMNS)} FROM articles WHERE id IN {_ASKED}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an article before it is read whole."""

    page: int
    url: str
    held: str
    """Its path in the archive itself."""
    state: bytes
    """Differs where anything differs that a file can show."""
    row: dict[str, Any]
    """The columns that were asked for, and the stamps of the archive."""


class Source:
    """The chosen articles of a catalog, while a crawl may go on writing it. Raises ArchiveError.

    A signal whose step raises ends a query with an OperationalError.
    """

    def __init__(self, db: Database, choice: Choice) -> None:
        self._db = db
        db.conn.set_progress_handler(_let_signals_in, _STEPS_BETWEEN_SIGNALS)
        db.execute("BEGIN")
        self._where, self._values = condition(db, choice)
        count = f"SELECT count(*) FROM articles WHERE {self._where}"  # noqa: S608
        try:
            self.count: int = db.execute(count, self._values).fetchone()[0]
        except sqlite3.Error as error:
            if choice.where is None or shutdown.is_asked() or ends_run(error):
                raise
            raise ArchiveError(f"--where {choice.where!r} can't be evaluated: {error}.", 2) from None
        if not self.count:
            raise ArchiveError("No article of the archive is what was asked for: nothing was exported.", 2)

    def hosts(self) -> set[str]:
        """Every host that the archive knows."""
        return {row[0] for row in self._db.execute("SELECT host FROM hosts")}

    def heads(self, columns: list[str]) -> Iterator[Head]:
        """The chosen articles in the order of their pages, none of them read whole."""
        wanted = ["archived_at", "changed_at", *columns]
        told = [column.name for column in self._db.table("articles").columns if column.name not in _ASIDE]
        state = " || ',' || ".join(f"quote({term})" for term in (*told, *_LISTS))
        rows = self._db.execute(
            f"SELECT id, url, path, {state}, {', '.join(wanted)} FROM articles WHERE {self._where} ORDER BY id",  # noqa: S608
            self._values,
        )
        for page, url, held, said, *values in rows:
            digest = blake2b(said.encode(errors="surrogatepass"), digest_size=16).digest()
            yield Head(page, url, held, digest, dict(zip(wanted, values, strict=True)))

    def copies(self) -> Iterator[tuple[str, str, str, str]]:
        """The pictures of the chosen articles that the archive has copies of: address, path, hash, when it came."""
        yield from self._db.execute(_COPIES.format(chosen=self._where), self._values)

    def copies_of(self, urls: Sequence[str]) -> dict[str, tuple[str, str]]:
        """The copies of these pictures: path and hash by address."""
        asked = f"SELECT url, path, hash FROM pictures WHERE url IN {_ASKED}"  # noqa: S608
        return {url: (path, hash_) for url, path, hash_ in self._db.execute(asked, [json.dumps(urls)])}

    def moved(self) -> Iterator[tuple[str, int]]:
        """Addresses that lead to a page by a redirect, each with that page."""
        yield from self._db.execute("SELECT url, moved_to FROM pages WHERE moved_to IS NOT NULL")

    def rows(self, pages: Sequence[int]) -> dict[int, Row]:
        """The articles of these pages, whole."""
        asked = [json.dumps(pages)]
        images: dict[int, list[Any]] = {page: [] for page in pages}
        links: dict[int, list[Any]] = {page: [] for page in pages}
        for page, url, alt, title in self._db.execute(_IMAGES, asked):
            images[page].append((url, alt, title))
        for page, url, text in self._db.execute(_LINKS, asked):
            links[page].append((url, text))
        rows = self._db.execute(_ROWS, asked)
        return {page: (tuple(values), images[page], links[page]) for page, *values in rows}

    def led_here(self, pages: Sequence[int]) -> dict[int, list[str]]:
        """The addresses that lead to these pages by a redirect."""
        found: dict[int, list[str]] = {page: [] for page in pages}
        for page, url in self._db.execute(_LED_HERE, [json.dumps(pages)]):
            found[page].append(url)
        return found


def _let_signals_in() -> None:
    """Do nothing: Python handles signals between two of its own instructions, of which a query has none."""
