"""Check WARC files against their rows and digests, record by record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pipelines.archive.files import odd_entry
from pipelines.archive.records import Row
from pipelines.archive.warc import FOLDER, SUFFIX, Location, digest_of, is_being_written
from pipelines.archive.warc_index import (
    Member,
    index_lines,
    index_of,
    insert_member,
    members,
    read_member,
    write_index,
)
from pipelines.verifying.findings import NO_SOURCE, PUT_FILE, Archive, Finding

_ROWS = f"""SELECT warc_records.id, offset, length, {", ".join(Row._fields)}
            FROM warc_records JOIN warc_files ON warc_files.id = warc_records.file WHERE name = ? ORDER BY offset"""
_SHA1 = re.compile(r"sha1:[A-Z2-7]{32}")
"""A digest as we write it; other programs have others."""
_FROM_FILE = "--repair takes the rows from the file"


class _Stored(NamedTuple):
    """A record's row."""

    id: int
    location: Location
    row: Row


def check_originals(archive: Archive, since: float | None) -> Iterator[Finding]:
    """Find originals that are missing or damaged, and rows or indexes that differ from the files.

    `since`: set while a crawl runs, which has not closed its files.
    """
    folder = archive.data / FOLDER
    paths = {path.name: path for path in sorted(folder.glob(f"*{SUFFIX}"))}
    known = [name for (name,) in archive.db.execute("SELECT name FROM warc_files ORDER BY name").fetchall()]
    for name in sorted({*paths, *known}):
        where = f"{FOLDER}/{name}"
        if name not in paths:
            yield Finding(where=where, what="is missing", hint="put it back; it has originals of the archive")
        elif odd := odd_entry(paths[name]):
            yield Finding(where=where, what=odd, hint=PUT_FILE)
        elif index_of(paths[name]).exists() or not (since or is_being_written(paths[name])):
            yield from _check_file(archive, paths[name], where)


def _check_file(archive: Archive, path: Path, where: str) -> Iterator[Finding]:
    stored = {
        offset: _Stored(id_, Location(path.name, offset, length), Row(*row))
        for id_, offset, length, *row in archive.db.execute(_ROWS, [path.name])
    }
    end, unlisted, differing = 0, 0, 0
    for member in members(path):
        end = member.location.offset + member.location.length
        if not _is_whole(member):
            yield _damaged(where, member.location, member.fields.get("warc-target-uri", "a record"))
        if member.row is None:
            continue
        row = stored.pop(member.location.offset, None)
        unlisted += row is None
        differing += row is not None and not _agrees(row, member)
    for offset in [offset for offset in stored if offset < end]:
        del stored[offset]
        differing += 1
    if unlisted or differing:
        what = f"has {unlisted} records without a row, and {differing} that differ from theirs"
        yield Finding(where=where, what=what, hint=_FROM_FILE, repair=partial(_take_rows, path))
    for record in stored.values():
        member_there = read_member(path, record.location)
        if member_there is None or not _agrees(record, member_there) or not _is_whole(member_there):
            yield _damaged(where, record.location, record.row.url)
    if end < path.stat().st_size and not stored:
        yield Finding(where=where, what=f"is damaged from byte {end} on", hint=NO_SOURCE)
    index = index_of(path)
    # Where there is none, the next command that writes makes it.
    if index.is_file() and index.read_text() != index_lines(archive.db, path):
        yield Finding(
            where=f"{FOLDER}/{index.name}",
            what="is not the index of the rows",
            hint="--repair writes it",
            repair=lambda mended: write_index(mended.db, path),
        )


def _damaged(where: str, location: Location, url: str) -> Finding:
    return Finding(
        where=where, what=f"the original of {url} at byte {location.offset} is damaged", hint=NO_SOURCE
    )


def _is_whole(member: Member) -> bool:
    """Return whether a record is what its digest says, as far as it has one; its row has that of its payload."""
    digest = member.fields.get("warc-block-digest", "")
    return not member.block or not _SHA1.fullmatch(digest) or digest == digest_of(member.block)


def _agrees(stored: _Stored, member: Member) -> bool:
    return (stored.location.length, stored.row) == (member.location.length, member.row)


def _take_rows(path: Path, archive: Archive) -> None:
    """Make the rows of a file's records from the file; a row that has moved keeps its id."""
    db = archive.db
    with db.atomic():
        for member in members(path):
            row, location = member.row, member.location
            if row is None:
                continue
            wrong = db.execute(
                """SELECT id FROM warc_records WHERE file = (SELECT id FROM warc_files WHERE name = ?)
                   AND (offset = ? OR (url, fetched_at, kind) = (?, ?, ?))""",
                [path.name, location.offset, row.url, row.fetched_at, row.kind],
            ).fetchall()
            if not wrong:
                insert_member(db, member)
                continue
            values = ", ".join(f"{name} = ?" for name in (*Row._fields, "offset", "length"))
            db.execute(
                f"UPDATE warc_records SET {values} WHERE id = ?",
                [*row, location.offset, location.length, wrong[0][0]],
            )
    write_index(db, path)
