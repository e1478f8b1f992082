"""Read the also-read graph: articles, and the links of their current lists from one to another.

A link to an address that redirects leads to the article behind it. Of several links from one article to another, the
first one counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlite_utils import Database

LISTED = "position IS NOT NULL"
"""Condition on a row of `also_read`: the link is in the current list of its article."""
_MAX_REDIRECTS = 20
"""Redirects that are followed one after another: more are a circle."""


class Link(NamedTuple):
    """A link between two articles, which are named by their pages' ids."""

    source: int
    target: int
    position: int
    """Its place in the also-read list, from 1 on."""


def read_redirects(db: Database) -> dict[int, int]:
    """Return the article that each page redirects to, both by id; of several one after another, the last article."""
    query = f"""
        WITH RECURSIVE hop (page, target, number) AS (
            SELECT id, moved_to, 1 FROM pages WHERE moved_to IS NOT NULL
            UNION ALL SELECT hop.page, pages.moved_to, number + 1 FROM hop JOIN pages ON pages.id = hop.target
            WHERE pages.moved_to IS NOT NULL AND number < {_MAX_REDIRECTS})
        SELECT page, target, max(number) FROM hop WHERE target IN (SELECT id FROM articles) GROUP BY page"""
    return {page: target for page, target, _ in db.execute(query)}


def read_links(db: Database, articles: set[int]) -> Iterator[Link]:
    """Yield the links between some articles: of each in turn, in the order of its list."""
    redirects = read_redirects(db)
    query = f"SELECT source, target, position FROM also_read WHERE {LISTED} ORDER BY source, position"
    source, targets = 0, set[int]()
    for link in map(Link._make, db.execute(query)):
        if link.source != source:
            source, targets = link.source, {link.source}  # a link to itself is none
        target = redirects.get(link.target, link.target)
        if source in articles and target in articles and target not in targets:
            targets.add(target)
            yield link._replace(target=target)
