"""Search the archive's articles by words as people type them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple


class Filters(NamedTuple):
    """Narrow a search to articles that match every field that is given."""

    hosts: Sequence[str] = ()
    """Patterns, as `*.techidaily.com`; one of them matches."""
    tag: str | None = None
    author: str | None = None
    lang: str | None = None
    """A language, as `en`, which stands for `en-US` too."""
    since: str | None = None
    """Published on this day or later, as `2024-08-16`."""


NO_FILTERS = Filters()


class Piece(NamedTuple):
    """A part of a snippet."""

    text: str
    matched: bool
    """Whether a word of the query matches it."""


class Hit(NamedTuple):
    """An article that matches."""

    id: int
    url: str
    host: str
    title: str | None
    author: str | None
    date: str | None
    lang: str | None
    snippet: Sequence[Piece]
    """The part of its text that matches best; its beginning where only the title matches."""


class Results(NamedTuple):
    """A page of hits, the best first."""

    hits: list[Hit]
    more: bool
    """Whether other hits follow."""


_ROWS = """SELECT articles.id, articles.url, host, title, author, date, lang, substr(body, 1, 300)
           FROM articles JOIN articles_fts ON articles_fts.rowid = articles.id
           WHERE articles_fts MATCH ? ORDER BY rank LIMIT ? OFFSET ?"""


def search(
    connection: sqlite3.Connection,
    words: str,
    filters: Filters = NO_FILTERS,  # noqa: ARG001
    limit: int = 20,
    offset: int = 0,
) -> Results:
    """Return the articles that match all words. No query is an error."""
    quoted = " ".join('"' + word.replace('"', "") + '"' for word in words.split())
    rows = connection.execute(_ROWS, [quoted, limit + 1, offset]).fetchall()
    hits = [Hit(*row, snippet=(Piece(text, matched=False),)) for *row, text in rows[:limit]]
    return Results(hits, more=len(rows) > limit)
