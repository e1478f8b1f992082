"""Rows of the responses that WARC files keep, in the caller's transaction."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, NamedTuple

from sqlite_utils import Database

from crawler.errors import UsageError
from crawler.items import VALID_STATUSES, Exchange, iso
from pipelines.archive import pages
from pipelines.archive.warc import (
    IDENTICAL,
    NOT_MODIFIED,
    Location,
    Original,
    WarcWriter,
    digest_of,
    split_response,
)

_CONTENT_TYPE = re.compile(rb"^content-type:\s*([\w.+/-]+)", re.IGNORECASE | re.MULTILINE)


class Row(NamedTuple):
    """What the catalog has of a record of a response, beside its place."""

    url: str
    fetched_at: str
    status: int | None
    kind: str
    """`response`, or `revisit` of one that is in the files already."""
    type: str | None
    """Its media type, as the response names it."""
    digest: str
    """Of its payload."""


def keep(db: Database, warc: WarcWriter, exchange: Exchange) -> int | None:
    """Append an exchange to the WARC files, and return the id of the record that has its payload, if any has.

    A payload that is in the files already, and a response that says "not modified", become a revisit record.
    """
    head, body = split_response(exchange.response)
    row = Row(
        url=exchange.url,
        fetched_at=iso(exchange.began_at),
        status=status_of(head),
        kind="response",
        type=type_of(head),
        digest=digest_of(body),
    )
    if row.status == HTTPStatus.NOT_MODIFIED:
        original, profile = _last_of(db, row.url), NOT_MODIFIED
    else:
        original, profile = _with_digest(db, row.digest) if body else None, IDENTICAL
    if original is None and row.status != HTTPStatus.NOT_MODIFIED:
        return insert(db, row, warc.append(exchange, row.digest))
    refers_to = Original(original["url"], original["fetched_at"]) if original else None
    insert(db, row._replace(kind="revisit"), warc.append(exchange, row.digest, profile, refers_to))
    return original["id"] if original else None


def insert(db: Database, record: Row, location: Location) -> int:
    """Insert the row of a record, and return its id."""
    row = db.execute("SELECT id FROM warc_files WHERE name = ?", [location.file]).fetchone()
    if row is None:
        row = db.execute("INSERT INTO warc_files (name) VALUES (?) RETURNING id", [location.file]).fetchone()
    (id_,) = db.execute(
        f"""INSERT INTO warc_records ({", ".join(Row._fields)}, file, offset, length)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        [*record, row[0], location.offset, location.length],
    ).fetchone()
    return int(id_)


def last_at(db: Database, url: str) -> int | None:
    """Return the last record of an address that is no article's, exactly as it was requested; None without one."""
    row = db.execute(
        """SELECT max(id) FROM warc_records WHERE url = ? AND kind = 'response'
           AND NOT EXISTS (SELECT 1 FROM articles WHERE articles.url = warc_records.url)""",
        [url],
    ).fetchone()
    return None if row[0] is None else int(row[0])


def of_article(db: Database, page: int, number: int | None = None) -> int:
    """Return the record that a revision of an article was read from, by default the current one's.

    Raises UsageError if there is none.
    """
    rows = db.execute(
        """SELECT record FROM (SELECT record, archived_at, id FROM revisions WHERE article = :page
             UNION ALL SELECT record, NULL, NULL FROM articles WHERE id = :page)
           ORDER BY archived_at IS NULL, archived_at, id""",
        {"page": page},
    ).fetchall()
    (url,) = db.execute("SELECT url FROM articles WHERE id = ?", [page]).fetchone()
    number = number or len(rows)
    if number > len(rows):
        raise UsageError(f"{url} has no revision {number}; the newest is {len(rows)}.")
    (record,) = rows[number - 1]
    if record is None:
        raise UsageError(
            f"The original of {url}, revision {number}, was not kept: it is from a file, from a run with --no-warc, "
            "or from an older alsoread."
        )
    return int(record)


def status_of(head: bytes) -> int | None:
    """Return the status of a response's head, if it is valid."""
    words = head.split(maxsplit=2)
    status = int(words[1]) if len(words) > 1 and re.fullmatch(rb"\d{3}", words[1]) else 0
    return status if status in VALID_STATUSES else None


def type_of(head: bytes) -> str | None:
    """Return the media type that a response's head names."""
    named = _CONTENT_TYPE.search(head)
    return named[1].decode().lower() if named else None


def _with_digest(db: Database, digest: str) -> dict[str, Any] | None:
    return pages.first(
        db, "SELECT id, url, fetched_at FROM warc_records WHERE digest = ? AND kind = 'response'", digest
    )


def _last_of(db: Database, url: str) -> dict[str, Any] | None:
    return pages.first(
        db,
        """SELECT id, url, fetched_at FROM warc_records WHERE url = ? AND kind = 'response' AND status = 200
           ORDER BY id DESC LIMIT 1""",
        url,
    )
