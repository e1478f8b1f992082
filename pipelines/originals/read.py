"""Read originals: the responses that WARC files keep, as they came and decoded."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]

from crawler.errors import UsageError
from pipelines.archive import pages
from pipelines.archive.warc import FOLDER, Location, digest_of, split_response
from pipelines.archive.warc_index import member_of


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


_PLACE = """SELECT warc_records.url, fetched_at, digest, name, offset, length
            FROM warc_records JOIN warc_files ON warc_files.id = warc_records.file"""


def read(db: Database, data: Path, record: int) -> Original:
    """Read the original in a record of the catalog. Raises UsageError if its file does not have it any more."""
    row = pages.first(db, f"{_PLACE} WHERE warc_records.id = ?", record)
    if row is None:
        raise UsageError(f"The catalog has no record {record}.")
    location = Location(row["name"], row["offset"], row["length"])
    original = read_at(data, location)
    if original is None or digest_of(original.body) != row["digest"]:
        raise UsageError(
            f"{data / FOLDER / location.file} does not have the original of {row['url']} at byte {location.offset} "
            f"any more; see `alsoread verify --data {data}`."
        )
    return original


def read_at(data: Path, location: Location) -> Original | None:
    """Read the response at a place of a file; None if no whole one is there. Raises OSError."""
    try:
        with (data / FOLDER / location.file).open("rb") as file:
            file.seek(location.offset)
            member = file.read(location.length)
    except FileNotFoundError:
        return None
    record = member_of(member)
    if record is None:
        return None
    fields, block = record
    head, body = split_response(block)
    return Original(
        url=fields.get("warc-target-uri", ""),
        fetched_at=fields.get("warc-date", ""),
        head=head,
        body=body,
        content=_decoded(member),
    )


def _decoded(member: bytes) -> bytes:
    """Return a response's content; as it is where its framing or encoding is broken."""
    try:
        for record in ArchiveIterator(BytesIO(member)):
            return bytes(record.content_stream().read())
    except (ArchiveLoadFailed, OSError, EOFError):
        pass
    return b""
