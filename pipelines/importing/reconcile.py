"""Articles of files become the archive's: new ones many at a time, others joined with what it holds.

Runs inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlite_utils import Database

from crawler.items import Article, iso
from pipelines.archive import articles, pages, revisions, revisit
from pipelines.archive.article_file import VOCABULARY, write
from pipelines.importing.parse import Packed

_TOGETHER = 500
"""Articles that one statement stores: the search index is written out after each statement."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def add(db: Database, reads: Sequence[Packed], *, scope: Sequence[str], crawl: int, now: datetime) -> None:
    """Stores articles that the archive does not hold, each address once; what they link to becomes due."""
    moment = iso(now)
    rows = [read.row for read in reads if read.row]
    ids = settle(db, [row["url"] for row in rows], scope, now)
    stamps = {"archived_at": moment, "crawl": crawl, "changed_at": moment, "changed_crawl": crawl}
    _insert_together(db, "articles", [{"id": ids[row["url"]], **row, **stamps} for row in rows])
    found = [(ids[read.row["url"]], read) for read in reads if read.row]
    db.conn.executemany(
        "INSERT INTO images (article, position, url, alt, title) VALUES (?, ?, ?, ?, ?)",
        [(page, at, *image) for page, read in found for at, image in enumerate(read.images, 1)],
    )
    targets = _lead_on(db, [(page, read.also_read) for page, read in found], scope, moment)
    db.conn.executemany(
        """INSERT INTO also_read (source, target, position, text, first_seen, last_seen)
           VALUES (?, ?, ?, ?, ?, ?)""",
        [
            (page, targets[url], at, text, moment, moment)
            for page, read in found
            for at, (url, text) in enumerate(read.also_read, 1)
        ],
    )


def join(
    db: Database, root: Path, found: Article, *, scope: Sequence[str], crawl: int, now: datetime
) -> Literal["new", "changed", "unchanged"]:
    """Makes one of a file's article and the one that the archive holds: the newer stays, the other is a revision.

    What the newer one leaves out is taken from the other.
    """
    page = settle(db, [found.url], scope, now)[found.url]
    held = articles.load(db, page)
    newer = _changed_at(found) > _changed_at(held)
    joined = _filled(found, held)
    if _tell_the_same(joined, held):
        joined = replace(joined, extractor=held.extractor)
        if found.extractor == "source":  # its clock is not that of the pages
            joined = replace(joined, updated=held.updated)
    elif not newer:
        _keep_older(db, page, found, crawl, iso(now))
    if not newer:
        joined = _filled(held, found)
    kind = articles.store(db, page, joined, crawl, iso(now))
    if joined.also_read != held.also_read:
        targets = _lead_on(db, [(page, joined.also_read)], scope, iso(now))
        links = [(targets[link.url], link.text) for link in joined.also_read]
        articles.store_links(db, page, links, iso(now))
    write(root, joined)
    return kind


def settle(db: Database, urls: Sequence[str], scope: Sequence[str], now: datetime) -> dict[str, int]:
    """The ids of articles' pages: a crawl can begin at them, and visits them when some time has passed."""
    ids = pages.add(db, urls, scope=scope, depth=0, now=iso(now))
    db.execute(
        """UPDATE pages SET state = 'stored', error = NULL, attempts = 0, moved_to = NULL,
             fetched_at = coalesce(fetched_at, :now), due_at = :due_at
           WHERE state NOT IN ('stored', 'gone') AND id IN (SELECT value FROM json_each(:ids))""",
        {"now": iso(now), "due_at": iso(now + revisit.FIRST), "ids": json.dumps(list(ids.values()))},
    )
    return ids


def _changed_at(article: Article) -> datetime:
    return article.updated or article.date or _NEVER


def _filled(article: Article, other: Article) -> Article:
    """An article with what it leaves out as the other has it; pictures are the text's, a page knows its date best."""
    gaps = {
        name: getattr(other, name)
        for name in VOCABULARY
        if name != "images" and getattr(article, name) in (None, [])
    }
    if article.extractor == "source" and other.extractor != "source" and other.date:
        gaps["date"] = other.date
    return replace(article, extra=other.extra | article.extra, **gaps)


def _tell_the_same(one: Article, other: Article) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in revisions.TELLING)


def _keep_older(db: Database, page: int, found: Article, crawl: int, now: str) -> None:
    """Keeps a file's article as a revision, unless it is one already."""
    if any(_tell_the_same(found, revision.article) for revision in revisions.load(db, page)):
        return
    row = articles.columns(found) | {"images": [image._asdict() for image in found.images]}
    revisions.keep(db, row | {"id": page, "changed_at": now, "changed_crawl": crawl}, now)


def _lead_on(
    db: Database, lists: Sequence[tuple[int, Sequence[tuple[str, str]]]], scope: Sequence[str], now: str
) -> dict[str, int]:
    """The ids of the pages in the also-read lists of articles, each with its page: those not known become due."""
    first = {url: page for page, links in reversed(lists) for url, _ in links}
    # In the order of the index, which is then walked once.
    return pages.add(db, sorted(first), scope=scope, depth=1, now=now, found_on=first)


def _insert_together(db: Database, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(rows), _TOGETHER):
        part = rows[start : start + _TOGETHER]
        values = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
        insert = f"INSERT INTO {table} ({', '.join(part[0])}) VALUES {values}"  # noqa: S608
        db.execute(insert, [value for row in part for value in row.values()])
