"""Compile filter options to an SQL condition on the catalog's `articles`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any

from sqlite_utils import Database

from crawler import shutdown
from crawler.errors import UsageError
from crawler.items import iso
from crawler.text import counted
from pipelines.archive.analyses import count_uncompared
from pipelines.archive.query import expression, parse
from pipelines.archive.storage_errors import ends_run

_HOSTS = "host IN (SELECT value FROM json_each(:hosts))"
_TAGS = "EXISTS (SELECT 1 FROM json_each(tags) AS tag JOIN json_each(:tags) AS wanted ON wanted.value = tag.value)"
_CATEGORIES = _TAGS.replace("tags", "categories")
_AUTHORS = "author IN (SELECT value FROM json_each(:authors))"
_CANONICAL = "id IN (SELECT canonical FROM near_duplicates)"
_SEARCH = "id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :search)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFilter:
    """Selects articles that match every field that is given; of a field with several values, one of them."""

    hosts: Sequence[str] = ()
    """Patterns, as `*.techidaily.com`."""
    tags: Sequence[str] = ()
    categories: Sequence[str] = ()
    authors: Sequence[str] = ()
    since: str | None = None
    """Published on this day or later, as `2024-08-16`."""
    changed_since: str | None = None
    """Changed in this run or a later one, as `12`, or on this day or later."""
    search: str | None = None
    """Words that are all in its title, description or text, as `alsoread search` reads them."""
    where: str | None = None
    """An SQL expression over the columns of `articles`."""
    unique: bool = False
    """Of nearly identical articles, only the canonical one."""


def where_clause(db: Database, articles: ArticleFilter) -> tuple[str, dict[str, Any]]:
    """Return the condition and its values. Raises UsageError if an option is not valid."""
    terms = list(_terms(db, articles))
    sql = " AND ".join(f"({term}\n)" for term, _ in terms) or "1"  # the line end closes a comment
    values = {name: value for _, parameters in terms for name, value in parameters.items()}
    db.conn.set_authorizer(_without_recursion)
    try:
        db.execute(f"SELECT 1 FROM articles WHERE {sql} LIMIT 0", values)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if articles.where is None or ends_run(error):
            raise
        raise UsageError(
            f"--where {articles.where!r} is not a valid SQL expression over articles: {error}."
        ) from None
    finally:
        db.conn.set_authorizer(None)
    return sql, values


@contextmanager
def evaluation_explained(articles: ArticleFilter) -> Iterator[None]:
    """Raise UsageError where the block's query fails by the filter's own expression."""
    try:
        yield
    except sqlite3.Error as error:
        if articles.where is None or shutdown.is_asked() or ends_run(error):
            raise
        raise UsageError(f"--where {articles.where!r} can't be evaluated: {error}.") from None


def _without_recursion(action: int, *_: str | None) -> int:
    """Allow SQLite everything but queries that may have no end; the catalog is open for reading only."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_RECURSIVE else sqlite3.SQLITE_OK


def _terms(db: Database, articles: ArticleFilter) -> Iterator[tuple[str, dict[str, Any]]]:
    if articles.hosts:
        yield _HOSTS, {"hosts": json.dumps(matching_hosts(db.conn, articles.hosts))}
    if articles.tags:
        yield _TAGS, {"tags": json.dumps(list(articles.tags))}
    if articles.categories:
        yield _CATEGORIES, {"categories": json.dumps(list(articles.categories))}
    if articles.authors:
        yield _AUTHORS, {"authors": json.dumps(list(articles.authors))}
    if articles.since:
        yield "date >= :since", {"since": day("--since", articles.since)}
    if articles.changed_since:
        yield _changed(db, articles.changed_since)
    if articles.search:
        words = parse(articles.search)
        if not words:
            raise UsageError(f"--search '{articles.search}' has no word to search for.")
        yield _SEARCH, {"search": expression(words)}
    if articles.unique:
        _require_comparison(db)
        yield _CANONICAL, {}
    if articles.where:
        yield articles.where, {}


def _require_comparison(db: Database) -> None:
    """Raise UsageError where articles were not compared with each other yet."""
    if count := count_uncompared(db):
        raise UsageError(
            f"--unique: {counted(count, 'article was', 'articles were')} not compared with the others yet: "
            "a crawl does it when it ends, `alsoread maintain` at once. Both need alsoread[analysis] installed."
        )


def _changed(db: Database, since: str) -> tuple[str, dict[str, Any]]:
    if not since.isdecimal():
        return "changed_at >= :changed_since", {"changed_since": day("--changed-since", since)}
    if db.execute("SELECT 1 FROM crawls WHERE id = ?", [int(since)]).fetchone() is None:
        raise UsageError(f"There was no crawl {since}: `alsoread status` tells the last one.")
    return "changed_crawl >= :changed_since", {"changed_since": int(since)}


def matching_hosts(connection: sqlite3.Connection, globs: Sequence[str]) -> list[str]:
    """Return the hosts of the catalog that match one of the patterns."""
    known = [host for (host,) in connection.execute("SELECT host FROM hosts").fetchall()]
    return [host for host in known if any(fnmatchcase(host, glob.lower()) for glob in globs)]


def day(option: str, value: str) -> str:
    """Return the moment at which a day begins, as the catalog has it. Raises UsageError."""
    try:
        begin = date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{option} {value} is not a valid date (try 2024-08-16).") from None
    return iso(datetime(begin.year, begin.month, begin.day, tzinfo=UTC))
