"""Rows of the responses that WARC files keep, in the caller's transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal, NamedTuple

from sqlite_utils import Database

from crawler.errors import UsageError
from crawler.items import VALID_STATUSES, Exchange, iso
from pipelines.archive.warc import (
    IDENTICAL,
    NOT_MODIFIED,
    Location,
    Original,
    WarcWriter,
    digest_of,
    split_response,
)

_NO_BODY = digest_of(b"")
_CONTENT_TYPE = re.compile(rb"^content-type:\s*([\w.+/-]+)", re.IGNORECASE | re.MULTILINE)


class Row(NamedTuple):
    """What the catalog has of a record of a response, beside its place."""

    url: str
    fetched_at: str
    status: int | None
    kind: Literal["response", "revisit"]
    """`response`, or `revisit` of one that is in the files already."""
    type: str | None
    """Its media type, as the response names it."""
    digest: str
    """Of its payload."""

    @property
    def has_payload(self) -> bool:
        """Return whether the response has a body."""
        return self.digest != _NO_BODY


class KeptRecord(NamedTuple):
    """A record of a response that is in a WARC file; the catalog may not have its row yet."""

    row: Row
    location: Location


class KeptRecords(NamedTuple):
    """Records that are in a file one behind the other: an item to store."""

    records: Sequence[KeptRecord]


def keep(db: Database, warc: WarcWriter, exchange: Exchange) -> int | None:
    """Append an exchange to the WARC files, and return the id of the record that has its payload, if any has.

    Raises OSError.
    """
    row = row_of(exchange)
    found = find_original(db, row)
    kept = append(warc, exchange, row, found[1] if found else None)
    id_ = insert(db, *kept)
    if kept.row.kind == "response":
        return id_
    return found[0] if found else None


def row_of(exchange: Exchange) -> Row:
    """Return the row of an exchange as a record that has its payload."""
    head, body = split_response(exchange.response)
    return Row(
        url=exchange.url,
        fetched_at=iso(exchange.began_at),
        status=status_of(head),
        kind="response",
        type=type_of(head),
        digest=exchange.record.payload_digest if exchange.record else digest_of(body),
    )


def find_original(db: Database, row: Row) -> tuple[int, Original] | None:
    """Return the record with the payload of a response, and its id; None if the files have none."""
    if row.status == HTTPStatus.NOT_MODIFIED:
        where, value = "url = ? AND kind = 'response' AND status = 200 ORDER BY id DESC", row.url
    elif row.has_payload:
        where, value = "digest = ? AND kind = 'response'", row.digest
    else:
        return None
    query = f"SELECT id, url, fetched_at FROM warc_records WHERE {where} LIMIT 1"
    found = db.execute(query, [value]).fetchone()
    return (found[0], Original(*found[1:])) if found else None


def append(warc: WarcWriter, exchange: Exchange, row: Row, original: Original | None) -> KeptRecord:
    """Append an exchange to the WARC files. Raises OSError.

    A payload that `original` has, and a response that says "not modified", become a revisit record.
    """
    if row.status == HTTPStatus.NOT_MODIFIED:
        profile = NOT_MODIFIED
    elif original:
        profile = IDENTICAL
    else:
        return KeptRecord(row, warc.append(exchange, row.digest))
    location = warc.append(exchange, row.digest, profile, original)
    return KeptRecord(row._replace(kind="revisit"), location)


def insert_kept(db: Database, records: Sequence[KeptRecord]) -> None:
    """Insert the rows of records, but for those that are there already."""
    for record in records:
        if find_at(db, record.location.file, record.location.offset) is None:
            insert(db, *record)


def payload_at(db: Database, file: str, offset: int) -> int | None:
    """Return the id of the record that has the payload of the one at a place, if any has."""
    found = find_at(db, file, offset)
    if found and found[1].kind == "revisit":
        original = find_original(db, found[1])
        return original[0] if original else None
    return found[0] if found else None


def find_at(db: Database, file: str, offset: int) -> tuple[int, Row] | None:
    """Return the id and the row of the record that begins at a place; None if the catalog has none there."""
    found = db.execute(
        f"""SELECT warc_records.id, {", ".join(Row._fields)}
            FROM warc_records JOIN warc_files ON warc_files.id = file WHERE name = ? AND offset = ?""",
        [file, offset],
    ).fetchone()
    return (found[0], Row(*found[1:])) if found else None


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
