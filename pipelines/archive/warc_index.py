"""Close WARC files: cut off a record that a kill left half written, complete the rows, and write the CDXJ index."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sqlite_utils import Database

from crawler.clock import parse_time
from crawler.items import iso
from crawler.urls import canonical_or_none
from pipelines.archive import records
from pipelines.archive.files import files_written, forget_pending, odd_entry
from pipelines.archive.warc import FOLDER, GZIP_WBITS, PREFIX, SUFFIX, Location, is_being_written
from pipelines.archive.warc_reader import DamagedFile, Record, read_records


class Member(NamedTuple):
    """A whole record of a file."""

    location: Location
    """The bytes of its gzip member."""
    fields: dict[str, str]
    """By lower-case name."""
    block: bytes
    """Empty if it is too large to be read whole."""
    row: records.Row | None
    """What the catalog has of it; None if it is none of a response."""


def index_of(path: Path) -> Path:
    """Return the path of a file's index, which a file has once it is closed."""
    return path.with_name(path.name.removesuffix(SUFFIX) + ".cdxj")


def close_files(db: Database, data: Path) -> None:
    """Close the files that have no index: those of a run that ended now, or was killed.

    A file that another process writes, or is about to, is left for the next time. Files that a new catalog does not
    know get their rows. Call it with the archive locked, outside of a transaction. Raises OSError and sqlite3.Error.
    """
    known = {name for (name,) in db.execute("SELECT name FROM warc_files")}
    for path in sorted((data / FOLDER).glob(f"*{SUFFIX}")):
        if (path.name in known and index_of(path).exists()) or odd_entry(path):
            continue
        if not path.stat().st_size or is_being_written(path):
            continue
        db.execute("BEGIN IMMEDIATE")  # the writing process of a run that was killed may still append
        try:
            whole = _complete_rows(db, path)
            db.conn.commit()
        except BaseException:
            db.conn.rollback()
            raise
        if whole < path.stat().st_size and (whole or path.name.startswith(PREFIX)):
            with path.open("r+b") as file:
                file.truncate(whole)
        write_index(db, path)


def write_index(db: Database, path: Path) -> None:
    """Write the CDXJ index of a file from its rows. Raises OSError."""
    with files_written(path.parent) as put:
        put(PurePosixPath(index_of(path).name), index_lines(db, path).encode())
    forget_pending(path.parent)  # it has no row of its own


def index_lines(db: Database, path: Path) -> str:
    """Return the CDXJ index of a file, from its rows."""
    rows = db.execute(
        f"""SELECT {", ".join(records.Row._fields)}, offset, length FROM warc_records
            WHERE file = (SELECT id FROM warc_files WHERE name = ?)""",
        [path.name],
    )
    return "".join(
        sorted(
            index_line(records.Row(*row), Location(path.name, offset, length))
            for *row, offset, length in rows
        )
    )


def index_line(record: records.Row, location: Location) -> str:
    """Return the line of a record in a CDXJ index."""
    from surt import surt  # type: ignore[import-untyped] # takes a while to load; few commands need it

    values = {
        "url": record.url,
        "mime": "warc/revisit" if record.kind == "revisit" else record.type or "unk",
        "status": str(record.status or "-"),
        "digest": record.digest,
        "length": str(location.length),
        "offset": str(location.offset),
        "filename": location.file,
    }
    moment = re.sub(r"\D", "", record.fetched_at)[:14]
    return f"{surt(record.url)} {moment} {json.dumps(values)}\n"


def members(path: Path, start: int = 0) -> Iterator[Member]:
    """Yield the whole records of a file from an offset on, up to the first that is not whole. Raises OSError."""
    with path.open("rb") as file, suppress(DamagedFile):
        file.seek(start)
        for record in read_records(file, start):
            if record.length is None:
                return
            location = Location(path.name, record.offset, record.length)
            yield Member(location, record.fields, record.block or b"", row_of(record))


def read_member(path: Path, location: Location) -> Member | None:
    """Read the record at a place of a file; None if no whole one is there. Raises OSError."""
    member = next(members(path, location.offset), None)
    return member if member and member.location == location else None


def member_of(content: bytes) -> tuple[dict[str, str], bytes] | None:
    """Return the fields and the block of the record in a gzip member; None if it is not whole."""
    try:
        unzip = zlib.decompressobj(GZIP_WBITS)
        record = unzip.decompress(content)
    except zlib.error:
        return None
    return _parsed(record) if unzip.eof else None


def _parsed(record: bytes) -> tuple[dict[str, str], bytes] | None:
    head, _, block = record.partition(b"\r\n\r\n")
    fields = dict(_fields(head))
    size = fields.get("content-length", "")
    if not size.isdigit() or len(block) != int(size) + 4 or not block.endswith(b"\r\n\r\n"):
        return None
    return fields, block[: int(size)]


def _fields(head: bytes) -> Iterator[tuple[str, str]]:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.decode(errors="replace").partition(":")
        yield name.strip().lower(), value.strip()


def _complete_rows(db: Database, path: Path) -> int:
    """Insert rows of whole records that have none, and return where the last whole record ends."""
    last = db.execute(
        """SELECT offset, length FROM warc_records WHERE file = (SELECT id FROM warc_files WHERE name = ?)
           ORDER BY offset DESC LIMIT 1""",
        [path.name],
    ).fetchone()
    whole = sum(last) if last else 0
    for member in members(path, whole):
        whole = member.location.offset + member.location.length
        insert_member(db, member)
    return whole


def insert_member(db: Database, member: Member) -> None:
    """Insert the row of a record, if it is one of a response."""
    if member.row is not None:
        records.insert(db, member.row, member.location)


def row_of(record: Record) -> records.Row | None:
    """Return what the catalog has of a record; None if it is none of a response from the web, or says too little."""
    moment = parse_time(record.fields.get("warc-date"))
    if record.kind not in ("response", "revisit") or moment is None or not canonical_or_none(record.url):
        return None
    digest = record.fields.get("warc-payload-digest") if record.kind == "revisit" else None
    return records.Row(
        url=record.url,
        fetched_at=iso(moment),
        status=records.status_of(record.head),
        kind="response" if record.kind == "response" else "revisit",
        type=records.type_of(record.head),
        digest=digest or record.digest,
    )
