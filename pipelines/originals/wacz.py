"""Pack originals of articles into a WACZ file, version 1.1.1: records, their index, a list of pages, and hashes.

Records are copied as they are, gzip member by gzip member.
"""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from importlib.metadata import version
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from sqlite_utils import Database

from crawler.clock import now
from crawler.errors import UsageError
from crawler.text import counted
from pipelines.archive.records import Row
from pipelines.archive.selection import ArticleFilter, evaluation_explained, where_clause
from pipelines.archive.warc import FOLDER, GZIP_WBITS, Location
from pipelines.archive.warc_index import index_line, member_of, members
from pipelines.archive.whole import reading, written_whole

Watch = Callable[[int, int], None]
"""Takes how many records are packed, and how many there are."""

_VERSION = "1.1.1"
_BLOCK_LINES = 3000
"""Lines of the index in a compressed block: what a reader loads to find one address."""
_MAX_NAMED_HOSTS = 3
_DESCRIPTION = "datapackage.json"
_NOT_IN_NAMES = re.compile(r"[^-a-z0-9._]")

_WANTED = "CREATE TEMP TABLE wanted (id INTEGER PRIMARY KEY)"
_CHOSEN = "CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)"
_ALL = "INSERT INTO wanted SELECT id FROM warc_records"
_OF_ARTICLES = """
INSERT OR IGNORE INTO wanted
  SELECT record FROM articles JOIN chosen USING (id) WHERE record IS NOT NULL
  UNION SELECT warc_records.id FROM articles JOIN chosen USING (id) JOIN warc_records USING (url)
  UNION SELECT warc_records.id FROM articles JOIN chosen USING (id)
    JOIN warc_records ON warc_records.url = articles.thumbnail
  UNION SELECT warc_records.id FROM images JOIN chosen ON chosen.id = images.article JOIN warc_records USING (url)
"""
"""Every visit of the articles' pages and images, and what the articles were read from."""
_REVISITED = """
INSERT OR IGNORE INTO wanted
  SELECT original.id FROM wanted
    JOIN warc_records AS revisit ON revisit.id = wanted.id AND revisit.kind = 'revisit' AND revisit.status <> 304
    JOIN warc_records AS original ON original.digest = revisit.digest AND original.kind = 'response'
"""
"""Responses whose payload a revisit has; "not modified" refers to one of the same address."""
_RECORDS = f"""
SELECT name, {", ".join(f"record.{field}" for field in Row._fields)}, record.offset, length,
  (SELECT min(offset) FROM warc_records AS next WHERE next.file = record.file AND next.offset > record.offset)
FROM wanted JOIN warc_records AS record USING (id) JOIN warc_files ON warc_files.id = record.file
ORDER BY record.file, record.offset
"""
_PAGES = """
SELECT articles.id, articles.url, title, body, (
  SELECT max(visit.fetched_at) FROM warc_records AS visit JOIN wanted USING (id)
  WHERE visit.url = articles.url AND visit.digest = origin.digest)
FROM chosen JOIN articles USING (id) LEFT JOIN warc_records AS origin ON origin.id = articles.record
ORDER BY articles.url
"""


class Packed(NamedTuple):
    """What a WACZ file has, and which of the chosen articles it has not."""

    pages: int
    records: int
    missing: list[str]
    """Addresses of articles whose original was not kept."""


def pack(db: Database, data: Path, target: Path, articles: ArticleFilter, watch: Watch) -> Packed:
    """Write a new WACZ file of the chosen articles' originals, as they are at one moment.

    Without any filter it has all records, also of robots.txt and sitemaps. Raises AlsoreadError, OSError and
    sqlite3.Error.
    """
    with (
        _chosen(db, articles),
        written_whole(target) as half,
        ZipFile(half, "w") as zip_file,
        closing(_Index()) as index,
    ):
        package = _Package(zip_file)
        records = _write_records(package, index, db, data, watch)
        index.write(package)
        pages, missing = _write_pages(package, db)
        package.finish(f"{counted(pages, 'article')} of {_hosts(db)}")
    return Packed(pages, records, missing)


@contextmanager
def _chosen(db: Database, articles: ArticleFilter) -> Iterator[None]:
    """In this block, one moment of the catalog has tables of the chosen articles and the wanted records."""
    db.execute("BEGIN")
    try:
        condition, values = where_clause(db, articles)
        db.execute(_CHOSEN)
        db.execute(_WANTED)
        with evaluation_explained(articles):
            db.execute(f"INSERT INTO chosen SELECT id FROM articles WHERE {condition}", values)
        if not _count(db, "SELECT count(*) FROM chosen"):
            raise UsageError("No article of the archive is what was asked for: nothing was packed.")
        if not _count(db, "SELECT count(*) FROM chosen JOIN articles USING (id) WHERE record IS NOT NULL"):
            raise UsageError(
                "The originals of these articles were not kept: they are from files, from runs with --no-warc, or "
                "from an older alsoread."
            )
        db.execute(_ALL if articles == ArticleFilter() else _OF_ARTICLES)
        db.execute(_REVISITED)
        yield
    finally:
        db.conn.rollback()


def _count(db: Database, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _hosts(db: Database) -> str:
    hosts = [
        host for (host,) in db.execute("SELECT DISTINCT host FROM chosen JOIN articles USING (id) ORDER BY 1")
    ]
    return ", ".join(hosts) if len(hosts) <= _MAX_NAMED_HOSTS else counted(len(hosts), "host")


class _Package:
    """The files of a WACZ, whose hashes end it."""

    def __init__(self, zip_file: ZipFile) -> None:
        self._zip = zip_file
        self._moment = now()
        self._resources: list[dict[str, Any]] = []

    @contextmanager
    def file(
        self, path: str, packed: int = ZIP_STORED, max_bytes: int = 0
    ) -> Iterator[Callable[[bytes], int]]:
        """Write a file by the function that the block gets. `max_bytes`: what it will not exceed by far."""
        info = ZipInfo(path, self._moment.timetuple()[:6])
        info.compress_type, info.external_attr, info.file_size = packed, 0o644 << 16, max_bytes
        digest, size = sha256(), 0

        def write(content: bytes) -> int:
            nonlocal size
            digest.update(content)
            size += len(content)
            return out.write(content)

        with self._zip.open(info, "w") as out:
            yield write
        self._resources.append(
            {
                "name": _NOT_IN_NAMES.sub("-", PurePosixPath(path).name.lower()),
                "path": path,
                "hash": f"sha256:{digest.hexdigest()}",
                "bytes": size,
            }
        )

    def finish(self, title: str) -> None:
        """Write the list of all files, and its hash."""
        description = {
            "profile": "data-package",
            "wacz_version": _VERSION,
            "title": title,
            "created": f"{self._moment:%Y-%m-%dT%H:%M:%SZ}",
            "software": f"alsoread/{version('alsoread')}",
            "resources": self._resources,
        }
        content = json.dumps(description, indent=2).encode()
        digest = {"path": _DESCRIPTION, "hash": f"sha256:{sha256(content).hexdigest()}"}
        with self.file(_DESCRIPTION, ZIP_DEFLATED) as write:
            write(content)
        with self.file("datapackage-digest.json", ZIP_DEFLATED) as write:
            write(json.dumps(digest, indent=2).encode())


class _Index:
    """Sort the lines of an index on the disk, and write them in compressed blocks with an index of these."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")  # a temporary file
        self._db.execute("CREATE TABLE lines (line TEXT NOT NULL)")

    def add(self, record: Row, location: Location) -> None:
        """Add the line of a record."""
        self._db.execute("INSERT INTO lines VALUES (?)", [index_line(record, location)])

    def write(self, package: _Package) -> None:
        """Write the index and the index of its blocks."""
        name = "index.cdx.gz"
        blocks = ["!meta 0 " + json.dumps({"format": "cdxj-gzip-1.0", "filename": name}) + "\n"]
        lines = self._db.execute("SELECT line FROM lines ORDER BY line")
        offset = 0
        with package.file(f"indexes/{name}") as write:
            while block := [line for (line,) in lines.fetchmany(_BLOCK_LINES)]:
                content = zlib.compress("".join(block).encode(), wbits=GZIP_WBITS)
                place = {
                    "offset": offset,
                    "length": len(content),
                    "digest": f"sha256:{sha256(content).hexdigest()}",
                }
                blocks.append(f"{block[0].partition('{')[0]}{json.dumps(place)}\n")
                offset += write(content)
        with package.file("indexes/index.idx", ZIP_DEFLATED) as write:
            write("".join(blocks).encode())

    def close(self) -> None:
        """Remove the temporary file."""
        self._db.close()


def _write_records(package: _Package, index: _Index, db: Database, data: Path, watch: Watch) -> int:
    """Copy the wanted records, and return how many they are."""
    total, done = _count(db, "SELECT count(*) FROM wanted"), 0
    for name, rows in groupby(db.execute(_RECORDS), itemgetter(0)):
        path = data / FOLDER / name
        with reading(path):
            max_bytes = path.stat().st_size
            source = path.open("rb")
        with source, package.file(f"archive/{name}", max_bytes=max_bytes) as write:
            offset = write(_begin_of(source, path))
            for _, *fields, start, length, following in rows:
                record = Row(*fields)
                response, request = _members_of(source, path, Location(name, start, length), following)
                index.add(record, Location(name, offset, length))
                offset += write(response) + write(request)
                done += 1
                watch(done, total)
    return total


def _begin_of(source: BinaryIO, path: Path) -> bytes:
    """Return the record that says how a file was made; nothing if it has none."""
    with reading(path):
        for first in islice(members(path), 1):
            if first.fields.get("warc-type") == "warcinfo":
                return source.read(first.location.length)
    return b""


def _members_of(
    source: BinaryIO, path: Path, response: Location, following: int | None
) -> tuple[bytes, bytes]:
    """Return the record of a response and that of its request, if this comes next. `following`: the next response."""
    end = response.offset + response.length
    with reading(path):
        if following is None:
            following = end + sum(member.location.length for member in islice(members(path, end), 1))
        source.seek(response.offset)
        content, request = source.read(response.length), source.read(following - end)
    whole = member_of(content)
    if whole is None:
        raise UsageError(
            f"{path} does not have a whole record at byte {response.offset}; see `alsoread verify`."
        )
    asked = member_of(request)
    belongs = asked and asked[0].get("warc-concurrent-to") == whole[0].get("warc-record-id")
    return content, request if belongs else b""


def _write_pages(package: _Package, db: Database) -> tuple[int, list[str]]:
    """Write the list of pages; return their number, and addresses of articles whose original was not kept."""
    pages, missing = 0, []
    with package.file("pages/pages.jsonl", ZIP_DEFLATED) as write:
        write(_line({"format": "json-pages-1.0", "id": "pages", "title": "Articles", "hasText": True}))
        for page, url, title, body, fetched_at in db.execute(_PAGES):
            if fetched_at is None:
                missing.append(url)
                continue
            pages += 1
            write(_line({"id": str(page), "url": url, "ts": fetched_at, "title": title or url, "text": body}))
    return pages, missing


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
