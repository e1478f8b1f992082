"""Load what the pages of one article show: its text, its neighbours, its history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlite_utils import Database

from crawler.urls import canonical_or_none
from pipelines.archive import page_state, revisions
from pipelines.serve.addresses import copy_of, page_of
from pipelines.serve.diffing import Line, lines
from pipelines.serve.rendering import Body

_MAX_LISTED = 50
"""Articles that a list of neighbours names."""
_NEIGHBOUR = "SELECT pages.url, coalesce(pages.title, also_read.text) AS title, pages.state, pages.error"
_OUT = f"""
    {_NEIGHBOUR}, articles.url AS archived
    FROM also_read JOIN pages ON pages.id = also_read.target
    LEFT JOIN articles ON articles.id = coalesce(pages.moved_to, pages.id)
    WHERE source = :page AND position IS NOT NULL ORDER BY position"""
_IN = f"""
    {_NEIGHBOUR}, pages.url AS archived
    FROM also_read JOIN pages ON pages.id = also_read.source
    WHERE target = :page AND source <> :page AND position IS NOT NULL ORDER BY pages.url LIMIT {_MAX_LISTED}"""
_FAMILY = f"""
    SELECT articles.url, articles.title, near.similarity, near.article = near.canonical AS is_canonical
    FROM near_duplicates AS near JOIN articles ON articles.id = near.article
    WHERE near.canonical = (SELECT canonical FROM near_duplicates WHERE article = :page) AND near.article <> :page
    ORDER BY is_canonical DESC, near.similarity DESC, articles.url LIMIT {_MAX_LISTED}"""
_ARTICLE = "SELECT * FROM articles WHERE url = ?"


def article(db: Database, url: str) -> dict[str, Any] | None:
    """Return what the page of an article shows; None if it is not archived."""
    row = next(db.query(_ARTICLE, [url]), None)
    if row is None:
        return None
    page = {"page": row["id"]}
    body = Body(row["body"])
    copies = _copies(db, row["id"], row["thumbnail"])
    is_shown = row["thumbnail"] in copies and f"]({row['thumbnail']}" not in row["body"]
    return {
        "article": row | {name: json.loads(row[name]) for name in ("tags", "categories")},
        "html": body.html(_pages(db, body.links), copies),
        "thumbnail": copies[row["thumbnail"]] if is_shown else None,
        "state": page_state.describe(page_state.load(db, row["id"])),
        "leads_to": list(db.query(_OUT, page)),
        "named_by": list(db.query(_IN, page)),
        "named_by_count": _links_to(db, row["id"]),
        "near_duplicates": list(db.query(_FAMILY, page)) if db["near_duplicates"].exists() else [],
        "revisions": revisions.load(db, row["id"])[::-1],
    }


def history(db: Database, url: str) -> dict[str, Any] | None:
    """Return the revisions of an article, newest first, and its page's state; None if it is not archived."""
    row = next(db.query("SELECT id, url, title, lang FROM articles WHERE url = ?", [url]), None)
    if row is None:
        return None
    return {
        "article": row,
        "revisions": revisions.load(db, row["id"])[::-1],
        "state": page_state.describe(page_state.load(db, row["id"])),
    }


def diff(db: Database, url: str, number: int | None) -> dict[str, Any] | None:
    """Return what a revision changed, by default the current one; None if the article is not archived.

    Raises UsageError if there is no such revision, or none before it.
    """
    found = history(db, url)
    if found is None:
        return None
    old, new = revisions.pair(found["revisions"][::-1], number)
    changed: list[Line] = list(lines(revisions.diff(old, new)))
    return found | {"old": old, "new": new, "lines": changed}


def known_page(db: Database, url: str) -> dict[str, Any] | None:
    """Return what is known of a page that has no article: its state, why, and where it leads."""
    query = """SELECT pages.url, pages.state, pages.error, moved.url AS moved_to
               FROM pages LEFT JOIN pages AS moved ON moved.id = pages.moved_to WHERE pages.url = ?"""
    return next(db.query(query, [url]), None)


def _pages(db: Database, links: Iterable[str]) -> Mapping[str, str]:
    """Return our pages of archived articles, by the addresses that link to them."""
    spellings = {link: canonical_or_none(link) for link in links}
    wanted = json.dumps([url for url in spellings.values() if url])
    query = "SELECT url FROM articles WHERE url IN (SELECT value FROM json_each(?))"
    archived = {url for (url,) in db.execute(query, [wanted])}
    return {link: page_of(url) for link, url in spellings.items() if url and url in archived}


def _copies(db: Database, page: int, thumbnail: str | None) -> Mapping[str, str]:
    """Return our copies of an article's images, by their addresses."""
    query = """SELECT url, path FROM pictures WHERE path IS NOT NULL
               AND url IN (SELECT url FROM images WHERE article = ? UNION SELECT ?)"""
    return {url: copy_of(path) for url, path in db.execute(query, [page, thumbnail])}


def _links_to(db: Database, page: int) -> int:
    row = db.execute("SELECT links FROM link_counts WHERE page = ?", [page]).fetchone()
    return int(row[0]) if row else 0
