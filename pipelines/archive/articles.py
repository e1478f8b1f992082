"""Store and load an article's rows, and decide what counts as a change. In the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlite_utils import Database

from crawler.items import Article, Image, Link, iso
from crawler.urls import host_of
from pipelines.archive import pages, revisions
from pipelines.archive.article_file import path_of, render
from pipelines.archive.files import hash_of
from pipelines.archive.grams import grams_of

_as_json = json.JSONEncoder(ensure_ascii=False).encode
"""As json.dumps, which makes an encoder each time."""
COLUMNS = tuple(field.name for field in fields(Article) if field.name not in ("images", "also_read"))
"""Columns of `articles` that hold a field of the article; images and links have tables of their own."""
_KEYS_FROM_PAGES = ("byline_date", "other_authors")
"""Keys of `extra` that the extractors find."""
_INSERT_BATCH_SIZE = 500
"""Articles; SQLite takes 32,766 values in a statement."""


class Origin(NamedTuple):
    """What an article was read from."""

    record: int | None = None
    """The record of its original; None where it was not kept, or the article comes from a file."""
    extractor_version: int | None = None
    """Version of the extractors that read it; None where it comes from a file."""


UNKNOWN_ORIGIN = Origin()


def store(
    db: Database,
    page: int,
    article: Article,
    crawl: int,
    now: str,
    *,
    file_hash: str | None = None,
    origin: Origin = UNKNOWN_ORIGIN,
) -> Literal["new", "changed", "unchanged"]:
    """Store what was read as the page's article; keep the old row as a revision if it differs.

    What differs in the original of the old row is no change of the site: the revision is marked as replaced by a
    re-extraction, and the article is `unchanged`. `file_hash`: that of its file, where it is known already.
    """
    old = pages.first(db, "SELECT * FROM articles WHERE id = ?", page)
    if old is None:
        insert(db, {page: (article, file_hash)}, crawl, now, origin)
        return "new"
    row = columns(article, file_hash)
    old["images"] = list(
        db.query("SELECT url, alt, title FROM images WHERE article = ? ORDER BY position", [page])
    )
    different = {key: value for key, value in row.items() if value != old[key]}
    reextracted = origin.record is not None and origin.record == old["record"]
    if different or origin.record:
        different["record"] = origin.record
    if different or origin.extractor_version:
        different["extractor_version"] = origin.extractor_version
    other_images = [image._asdict() for image in article.images] != old["images"]
    changed = other_images or any(key in different for key in revisions.VERSIONED_FIELDS)
    if changed:
        revisions.keep(db, old, now, reextracted=reextracted)
        if not reextracted:
            different |= {"changed_at": now, "changed_crawl": crawl}
        replace_images(db, page, article.images)
    update(db, page, different)
    return "changed" if changed and not reextracted else "unchanged"


def update(db: Database, page: int, different: Mapping[str, Any]) -> None:
    """Update the columns of an article's row that are different."""
    if different:
        assignments = ", ".join(f"{key} = :{key}" for key in different)
        db.execute(f"UPDATE articles SET {assignments} WHERE id = :id", {**different, "id": page})


def columns(article: Article, file_hash: str | None = None) -> dict[str, Any]:
    """Return an article's row by column, without the archive's own times; `file_hash` if it is known already."""
    row = {name: _as_column(getattr(article, name)) for name in COLUMNS}
    return row | {
        "host": host_of(article.url),
        "words": len(article.body.split()),
        "body_hash": hash_of(article.body.encode()),
        "path": str(path_of(article.url)),
        "grams": grams(article),
        "file_hash": file_hash or hash_of_file(article),
    }


def grams(article: Article) -> str | None:
    """Return the article's grams, if it is in a language that is searched by them."""
    return grams_of(article.lang, article.title, article.description, article.body)


def _as_column(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return _as_json(value) if isinstance(value, list | dict) else value


def extra_of(db: Database, urls: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the keys that articles have from files and not from their pages, by address."""
    query = """SELECT url, extra FROM articles
               WHERE extra <> '{}' AND url IN (SELECT value FROM json_each(?))"""
    return {url: keys_from_files(json.loads(extra)) for url, extra in db.execute(query, [json.dumps(urls)])}


def keys_from_files(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an article's `extra` that no page has."""
    return {key: value for key, value in extra.items() if key not in _KEYS_FROM_PAGES}


def hash_of_file(article: Article) -> str:
    """Return the SHA-256 of the article's file, in hexadecimal."""
    return hash_of(render(article).encode())


def insert(
    db: Database,
    new: Mapping[int, tuple[Article, str | None]],
    crawl: int,
    now: str,
    origin: Origin = UNKNOWN_ORIGIN,
) -> None:
    """Insert articles that the archive does not have, with their images, by page; each with its file's hash."""
    stamps = {
        "archived_at": now,
        "crawl": crawl,
        "changed_at": now,
        "changed_crawl": crawl,
        **origin._asdict(),
    }
    stamped = [
        {"id": page, **columns(article, file_hash), **stamps} for page, (article, file_hash) in new.items()
    ]
    # Many to a statement: the search index is written out after each.
    for start in range(0, len(stamped), _INSERT_BATCH_SIZE):
        batch = stamped[start : start + _INSERT_BATCH_SIZE]
        values = ", ".join([f"({', '.join('?' * len(batch[0]))})"] * len(batch))
        query = f"INSERT INTO articles ({', '.join(batch[0])}) VALUES {values}"
        db.execute(query, [value for row in batch for value in row.values()])
    _insert_images(db, {page: article.images for page, (article, _) in new.items()})


def replace_images(db: Database, page: int, images: Sequence[Image]) -> None:
    """Make these the images of an article."""
    db.execute("DELETE FROM images WHERE article = ?", [page])
    _insert_images(db, {page: images})


def _insert_images(db: Database, images: Mapping[int, Sequence[Image]]) -> None:
    db.conn.executemany(
        "INSERT INTO images (article, position, url, alt, title) VALUES (?, ?, ?, ?, ?)",
        [
            (page, position, *image)
            for page, listed in images.items()
            for position, image in enumerate(listed, 1)
        ],
    )


def store_links(db: Database, links: Mapping[int, Sequence[tuple[int, str]]], now: str) -> None:
    """Store also-read lists by page, each link as target and text.

    A link that left its list stays, without a position.
    """
    db.conn.executemany("UPDATE also_read SET position = NULL WHERE source = ?", [(page,) for page in links])
    db.conn.executemany(
        """INSERT INTO also_read (source, target, position, text, first_seen, last_seen)
           VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (source, target) DO UPDATE
           SET position = excluded.position, text = excluded.text, last_seen = max(last_seen, excluded.last_seen)""",
        [
            (page, target, position, text, now, now)
            for page, listed in links.items()
            for position, (target, text) in enumerate(listed, 1)
        ],
    )


def confirm_links(db: Database, page: int, now: str) -> None:
    """Record that the also-read list was seen again unchanged."""
    db.execute("UPDATE also_read SET last_seen = ? WHERE source = ? AND position IS NOT NULL", [now, page])


def load(db: Database, page: int) -> Article:
    """Return the article of a page, as it was stored."""
    row = next(db.query("SELECT * FROM articles WHERE id = ?", [page]))
    images = db.query("SELECT url, alt, title FROM images WHERE article = ? ORDER BY position", [page])
    links = db.query(
        """SELECT pages.url, also_read.text FROM also_read JOIN pages ON pages.id = also_read.target
           WHERE source = ? AND position IS NOT NULL ORDER BY position""",
        [page],
    )
    return of_row(row, map(dict.values, images), map(dict.values, links))


def of_row(
    row: Mapping[str, Any], images: Iterable[Iterable[str | None]], also_read: Iterable[Iterable[str]]
) -> Article:
    """Return the article of which `columns` made the row, with its images and links in order."""
    values = {field.name: row[field.name] for field in fields(Article) if field.name in row}
    return Article(
        **values
        | {name: datetime.fromisoformat(row[name]) if row[name] else None for name in ("date", "updated")}
        | {name: json.loads(row[name]) for name in ("tags", "categories", "extra")},
        images=[Image(*image) for image in images],  # type: ignore[arg-type]
        also_read=[Link(*link) for link in also_read],
    )
