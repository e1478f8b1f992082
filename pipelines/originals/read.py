"""Read originals: the responses that WARC files keep, as they came and decoded."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from crawler.content_encoding import TooLarge, Undecodable, dechunked, decode
from crawler.errors import UsageError
from pipelines.archive import pages
from pipelines.archive.warc import FOLDER, Location, digest_of, split_response
from pipelines.archive.warc_index import member_of

_FRAMING = re.compile(rb"^transfer-encoding:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ENCODING = re.compile(rb"^content-encoding:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_MAX_CONTENT_BYTES = 64 * 2**20
"""Bytes of the largest content that is unpacked."""


class Original(NamedTuple):
    """A response as it was fetched."""

    url: str
    fetched_at: str
    head: bytes
    """Status line and headers, with the empty line behind them."""
    body: bytes
    """As it was sent, in its framing and encoding."""
    content: bytes
    """The body without framing and content encoding."""


class StoredOriginal(NamedTuple):
    """A response as its file has it: all that it takes to read it elsewhere."""

    url: str
    fetched_at: str
    digest: str
    location: Location
    data: Path
    """The archive's folder."""
    member: bytes
    """What the file has at its place, which may be damaged."""


_PLACE = """SELECT warc_records.url, fetched_at, digest, name, offset, length
            FROM warc_records JOIN warc_files ON warc_files.id = warc_records.file"""


def read(db: Database, data: Path, record: int) -> Original:
    """Read the original in a record of the catalog. Raises as `load` and `parse`."""
    return parse(load(db, data, record))


def load(db: Database, data: Path, record: int) -> StoredOriginal:
    """Load the bytes of a record of the catalog. Raises UsageError if the catalog has none, and OSError."""
    row = pages.first(db, f"{_PLACE} WHERE warc_records.id = ?", record)
    if row is None:
        raise UsageError(f"The catalog has no record {record}.")
    location = Location(row["name"], row["offset"], row["length"])
    member = b""
    with suppress(FileNotFoundError), (data / FOLDER / location.file).open("rb") as file:
        file.seek(location.offset)
        member = file.read(location.length)
    return StoredOriginal(row["url"], row["fetched_at"], row["digest"], location, data, member)


def parse(stored: StoredOriginal) -> Original:
    """Return the response in a record. Raises UsageError if its file does not have it any more."""
    record = member_of(stored.member)
    fields, block = record or ({}, b"")
    head, body = split_response(block)
    if record is None or digest_of(body) != stored.digest:
        file, offset, _ = stored.location
        raise UsageError(
            f"{stored.data / FOLDER / file} does not have the original of {stored.url} at byte {offset} "
            f"any more; see `alsoread verify --data {stored.data}`."
        )
    return Original(
        url=fields.get("warc-target-uri", ""),
        fetched_at=fields.get("warc-date", ""),
        head=head,
        body=body,
        content=content_of(head, body),
    )


def content_of(head: bytes, body: bytes) -> bytes:
    """Return a response's body without framing and content encoding; as far as they are not broken."""
    if b"chunked" in b",".join(_FRAMING.findall(head)).lower():
        body, _ = dechunked(body)
    layers = b",".join(_ENCODING.findall(head)).decode("latin-1").lower().replace(",", " ").split()
    try:
        for encoding in reversed(layers):
            if encoding != "identity" and body:
                body = decode(body, encoding, _MAX_CONTENT_BYTES)
    except (Undecodable, TooLarge):
        pass
    return body
