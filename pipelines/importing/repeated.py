"""Find the responses that revisit records repeat: in the files of an import, and in the archive's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database

from crawler.clock import parse_time
from crawler.items import iso
from pipelines.archive import records
from pipelines.archive.warc import FOLDER, Location, split_response
from pipelines.archive.warc_reader import Record
from pipelines.importing.warc_files import read_record


class RepeatedResponses:
    """Remember the responses of an import, and find those that revisit records repeat."""

    def __init__(self, db: Database, data: Path) -> None:
        self._db, self._data = db, data
        # On disk and gone with the connection: the responses of an import need not fit into memory.
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("CREATE TABLE seen (url, at, digest, file, offset, length)")
        self._seen.execute("CREATE INDEX seen_url ON seen(url, at)")
        self._seen.execute("CREATE INDEX seen_digest ON seen(digest)")

    def add(self, record: Record, row: records.Row, place: Location) -> None:
        """Remember a response."""
        digest = record.fields.get("warc-payload-digest", record.digest)
        values = [row.url, row.fetched_at, digest.lower(), *place]
        self._seen.execute("INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?)", values)

    def find(self, revisit: Record) -> tuple[bytes, Location] | None:
        """Return the body of the response that a record repeats, and where that is."""
        fields = revisit.fields
        url = fields.get("warc-refers-to-target-uri", revisit.url).removeprefix("<").removesuffix(">")
        moment = parse_time(fields.get("warc-refers-to-date"))
        at, digest = iso(moment) if moment else "", fields.get("warc-payload-digest", "")
        queries = (
            ("url = ? AND at = ?", [url, at]),
            ("digest = ?", [digest.lower()]),
        )
        for condition, values in queries:
            query = f"SELECT file, offset, length FROM seen WHERE {condition} LIMIT 1"
            if (row := self._seen.execute(query, values).fetchone()) and (found := _body_at(Location(*row))):
                return found
        return self._find_archived(url, at, digest)

    def _find_archived(self, url: str, at: str, digest: str) -> tuple[bytes, Location] | None:
        query = """SELECT name, offset, length FROM warc_records JOIN warc_files ON warc_files.id = file
                   WHERE kind = 'response' AND {} LIMIT 1"""
        for condition, values in (("url = ? AND fetched_at = ?", [url, at]), ("digest = ?", [digest])):
            if row := self._db.execute(query.format(condition), values).fetchone():
                path = self._data / FOLDER / row[0]
                if path.is_file() and (found := _body_at(Location(str(path), *row[1:]))):
                    return found
        return None

    def close(self) -> None:
        """Forget all."""
        self._seen.close()


def _body_at(place: Location) -> tuple[bytes, Location] | None:
    """Return the body of the response in a record, and where that is; None if it is not there any more."""
    record = read_record(Path(place.file), place.offset)
    return (split_response(record.block)[1], place) if record and record.block else None
