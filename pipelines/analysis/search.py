"""Search the archive's articles by words as people type them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from pipelines.analysis.snippets import Piece, Snippets
from pipelines.archive.grams import has_cjk, indexed_parts
from pipelines.archive.query import Term, expression, parse
from pipelines.archive.selection import day, matching_hosts

__all__ = ["NO_FILTERS", "Filters", "Hit", "Piece", "Results", "search"]

_RANKED_ROWS = 2_000
"""Articles that are ranked together, the newest first: ranking all matches of a common word takes too long."""
_MAX_ROWID = 2**63 - 1
_FEW_HITS = 20
"""With fewer hits, words match as prefixes too."""
_WEIGHTS = "100, 50, 1, 1"
"""Of a match in the title, the description, the text and the grams of it."""


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


class _Matches(NamedTuple):
    """What articles have to match."""

    match: str
    """An FTS5 expression."""
    condition: str = ""
    """An SQL condition on their rows, if there is one."""


def search(
    connection: sqlite3.Connection,
    words: str,
    filters: Filters = NO_FILTERS,
    limit: int = 20,
    offset: int = 0,
) -> Results:
    """Return articles that match all words: those with all of them in the title first, each by its relevance.

    Where few match, articles follow in which the words are prefixes. No query is an error; one without a letter or
    digit matches nothing. Raises UsageError if a filter is not valid, and sqlite3.Error.
    """
    terms = parse(words)
    if not terms:
        return Results([], more=False)
    ranking = _Ranking(connection, terms, filters)
    found = ranking.page(offset, limit + 1)
    return Results(_hits(connection, ranking.terms, found[:limit]), more=len(found) > limit)


class _Ranking:
    """Finds the ids of articles in the order of their relevance."""

    def __init__(self, connection: sqlite3.Connection, terms: list[Term], filters: Filters) -> None:
        self._connection = connection
        self._filter, self._values = _compile(connection, filters)
        self._exact = _Matches(expression(terms))
        self._in_title = self._title_matches(terms)
        self._count = self._count_up_to(_RANKED_ROWS, self._exact)
        self.terms = terms if self._count >= _FEW_HITS else [*map(self._as_prefix, terms)]
        """What matches, in the end."""

    def _as_prefix(self, term: Term) -> Term:
        """Return a term as a prefix, but a common word as it is: those that begin so would take long."""
        is_common = self._count_up_to(_RANKED_ROWS, _Matches(term.fts)) == _RANKED_ROWS
        return term if is_common else term.as_prefix()

    def _title_matches(self, terms: list[Term]) -> _Matches:
        parts = [part for term in terms if has_cjk(term.text) for part in indexed_parts(term.text)]
        if not parts:
            return _Matches(f"{{title}} : ({self._exact.match})")
        # A title is one word for SQLite, and its grams are in one column with those of the text.
        self._values |= {f"part{number}": part for number, part in enumerate(parts)}
        in_title = " AND ".join(f"instr(articles.title, :part{number})" for number in range(len(parts)))
        return _Matches(self._exact.match, in_title)

    def page(self, offset: int, count: int) -> list[int]:
        """Return so many articles from an offset on."""
        page: list[int] = []
        for block in self._blocks():
            page += block[offset : offset + count - len(page)]
            offset = max(0, offset - len(block))
            if len(page) == count:
                break
        return page

    def _blocks(self) -> Iterator[list[int]]:
        """Yield articles in their order, as many at a time as are ranked together."""
        if self._count < _RANKED_ROWS:  # the same order, by one query that ranks in place of two
            in_title = self._between(self._in_title, 0, _MAX_ROWID)
            ranked = self._rank(self._exact, _MAX_ROWID)
            yield [page for page, _ in sorted(ranked, key=lambda row: (row[0] not in in_title, row[1]))]
        else:
            yield from self._ranked(self._in_title)
            yield from self._ranked(self._exact, known=self._in_title)
        prefixes = _Matches(expression(self.terms))
        if prefixes != self._exact:
            yield from self._ranked(prefixes, known=self._exact)

    def _ranked(self, matches: _Matches, known: _Matches | None = None) -> Iterator[list[int]]:
        """Yield the matches that are not known, the newest ones first, each block by rank."""
        before = _MAX_ROWID
        while ranked := self._rank(matches, before):
            oldest = min(page for page, _ in ranked)
            left_out = self._between(known, oldest, before) if known else ()
            yield [page for page, _ in sorted(ranked, key=itemgetter(1)) if page not in left_out]
            if len(ranked) < _RANKED_ROWS:
                break
            before = oldest

    def _rank(self, matches: _Matches, before: int) -> list[tuple[int, float]]:
        """Return the newest matches before an article, each with its rank: the smaller, the better."""
        query = f"""SELECT articles_fts.rowid, bm25(articles_fts, {_WEIGHTS}) {self._from(matches)}
                    AND articles_fts.rowid < :before ORDER BY articles_fts.rowid DESC LIMIT {_RANKED_ROWS}"""
        values = {**self._values, "match": matches.match, "before": before}
        return self._connection.execute(query, values).fetchall()

    def _between(self, matches: _Matches, oldest: int, before: int) -> set[int]:
        """Return the matches from one article to another."""
        query = f"""SELECT articles_fts.rowid {self._from(matches)}
                    AND articles_fts.rowid >= :oldest AND articles_fts.rowid < :before"""
        values = {**self._values, "match": matches.match, "oldest": oldest, "before": before}
        return {page for (page,) in self._connection.execute(query, values)}

    def _count_up_to(self, limit: int, matches: _Matches) -> int:
        query = f"SELECT count(*) FROM (SELECT 1 {self._from(matches)} LIMIT {limit})"
        count: int = self._connection.execute(query, {**self._values, "match": matches.match}).fetchone()[0]
        return count

    def _from(self, matches: _Matches) -> str:
        """Return the query's tables and conditions, from the index to the rows: these are large."""
        conditions = [condition for condition in (matches.condition, *self._filter) if condition]
        join = "CROSS JOIN articles ON articles.id = articles_fts.rowid" if conditions else ""
        return f"FROM articles_fts {join} WHERE {' AND '.join(['articles_fts MATCH :match', *conditions])}"


def _compile(connection: sqlite3.Connection, filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions of filters, and their values."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if filters.hosts:
        # By the index of hosts: in a row, the host comes after the text. The plus keeps the search index first.
        conditions.append(
            "+articles_fts.rowid IN (SELECT id FROM articles WHERE host IN (SELECT value FROM json_each(:hosts)))"
        )
        values["hosts"] = json.dumps(matching_hosts(connection, filters.hosts))
    if filters.tag:
        conditions.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag)")
        values["tag"] = filters.tag
    if filters.author:
        conditions.append("author = :author")
        values["author"] = filters.author
    if filters.lang:
        conditions.append("(lang = :lang OR lang GLOB :lang || '-*')")
        values["lang"] = filters.lang
    if filters.since:
        conditions.append("date >= :since")
        values["since"] = day("--since", filters.since)
    return conditions, values


def _hits(connection: sqlite3.Connection, terms: list[Term], found: Sequence[int]) -> list[Hit]:
    query = """SELECT articles.id, url, host, title, author, date, lang, body, description
               FROM json_each(:found) AS found JOIN articles ON articles.id = found.value ORDER BY found.key"""
    rows = connection.execute(query, {"found": json.dumps(found)}).fetchall()
    snippets = Snippets(terms).of([(row[7], row[8]) for row in rows])
    return [Hit._make([*row[:7], snippet]) for row, snippet in zip(rows, snippets, strict=True)]
