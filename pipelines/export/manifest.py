"""Remember what an export wrote and plan what it is to write: an SQLite database in the export's own folder.

A file belongs to the export while its content has one of the hashes in its row. The row is written before the
file, so an export that was killed knows its files again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from crawler.errors import CatalogError
from pipelines.archive.storage_errors import ends_run
from pipelines.export.layout import folded, marked
from pipelines.export.links import Target
from pipelines.export.target import FileStat

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY,
  url TEXT UNIQUE,
  path TEXT NOT NULL,
  key BLOB,
  hash BLOB NOT NULL,
  was BLOB,
  size INTEGER,
  mtime INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS files_path ON files(path);
CREATE TEMP TABLE plan (
  page INTEGER PRIMARY KEY,
  url TEXT NOT NULL,
  path TEXT NOT NULL,
  folded TEXT NOT NULL,
  address TEXT NOT NULL,
  changed_at TEXT NOT NULL
);
CREATE TEMP TABLE addresses (url TEXT PRIMARY KEY, page INTEGER NOT NULL) WITHOUT ROWID;
"""

_BATCH_SIZE = 50
"""Files at a time: what they are made of is held in memory."""

_CHECKPOINT_PAGES = 8_000
"""About 32 MB."""


class PlannedFile(NamedTuple):
    """The place of a file, of an article or of a picture that it shows."""

    page: int
    url: str
    place: Target
    changed_at: str


class ManifestRow(NamedTuple):
    """A file that the export wrote."""

    path: str
    key: bytes | None
    """Of the job that made it; None where an earlier version of alsoread wrote it."""
    hash: bytes
    previous_hash: bytes | None
    """Of what the file may still hold if the export was killed before it was written."""
    stat: FileStat | None
    """Of the file when it was written; None where it may not have been."""


class PendingWrite(NamedTuple):
    """A file that is about to be written."""

    url: str
    path: str
    key: bytes
    hash: bytes
    previous_hash: bytes | None


_PLAN = "plan.page, plan.url, plan.path, plan.address, plan.changed_at"
_FILE = "files.path, files.key, files.hash, files.was, files.size, files.mtime"


class Manifest:
    """The database, as a context manager that commits. Raises CatalogError where the file is not a database."""

    def __init__(self, path: Path | None) -> None:
        """Open the database; a temporary one where `path` is None."""
        self._db = sqlite3.connect(path or "", isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            # A checkpoint waits for the disk, and so for all the files that were written meanwhile.
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            self._db.executescript(_SCHEMA)
            self._drop_links()
        except sqlite3.DatabaseError as error:
            self._db.close()
            if ends_run(error):
                raise
            message = f"{path} is damaged ({error}): remove it; files that are up to date are known again."
            raise CatalogError(message) from None

    def _drop_links(self) -> None:
        """Remove what earlier versions kept of the links in the files."""
        self._db.execute("DROP TABLE IF EXISTS targets")
        if any(row[1] == "mentions" for row in self._db.execute("PRAGMA table_info(files)").fetchall()):
            self._db.execute("ALTER TABLE files DROP COLUMN mentions")

    def __enter__(self) -> Self:
        self._db.execute("BEGIN")
        return self

    def __exit__(self, error: object, *_: object) -> None:
        try:
            if not error:  # else a part of a step could be kept
                self._db.execute("COMMIT")
        finally:
            self._db.close()

    def plan(self, files: Iterable[PlannedFile]) -> None:
        """Take what is to be exported; articles that share a path are told apart by a hash of their addresses."""
        self._db.executemany(
            "INSERT INTO plan (page, url, path, folded, address, changed_at) VALUES (?, ?, ?, ?, ?, ?)",
            ((page, url, *_columns(place), changed_at) for page, url, place, changed_at in files),
        )
        shared = self._db.execute(
            "SELECT path, url, page FROM plan"
            " WHERE folded IN (SELECT folded FROM plan GROUP BY folded HAVING count(*) > 1)"
        ).fetchall()
        self._db.executemany(
            "UPDATE plan SET path = ? WHERE page = ?",
            [(marked(path, url), page) for path, url, page in shared],
        )
        self._db.execute("CREATE INDEX temp.plan_path ON plan(path)")

    def plan_links(self, redirects: Iterable[tuple[str, int]]) -> None:
        """Let `targets` find what is planned, by its own address and those that redirect to it."""
        self._db.execute("INSERT OR IGNORE INTO addresses SELECT url, page FROM plan ORDER BY page")
        self._db.executemany("INSERT OR IGNORE INTO addresses VALUES (?, ?)", redirects)

    def targets(self, urls: Iterable[str]) -> dict[str, Target]:
        """Return the places of what these addresses lead to, where that is planned."""
        rows = self._db.execute(
            "SELECT addresses.url, path, address FROM addresses JOIN plan USING (page)"
            " WHERE addresses.url IN (SELECT value FROM json_each(?))",
            [json.dumps([*urls])],
        )
        return {url: Target(path, address) for url, path, address in rows}

    def planned_by_path(self) -> Iterator[list[PlannedFile]]:
        """Give what is planned in the order of paths, in batches."""
        rows = self._db.execute(f"SELECT {_PLAN} FROM plan ORDER BY path")
        while batch := rows.fetchmany(_BATCH_SIZE):
            yield [_planned(*row) for row in batch]

    def batches(self) -> Iterator[list[tuple[PlannedFile, ManifestRow | None]]]:
        """Give what is planned in the order of pages, each file with its row, in batches."""
        query = (
            f"SELECT {_PLAN}, {_FILE} FROM plan LEFT JOIN files USING (url)"
            " WHERE page > ? ORDER BY page LIMIT ?"
        )
        last = -1
        while rows := self._db.execute(query, [last, _BATCH_SIZE]).fetchall():
            last = rows[-1][0]
            yield [(_planned(*row[:5]), _written(*row[5:]) if row[5] is not None else None) for row in rows]

    def find(self, path: str) -> ManifestRow | None:
        """Return the row of the file at a path."""
        row = self._db.execute(f"SELECT {_FILE} FROM files WHERE path = ?", [path]).fetchone()
        return _written(*row) if row else None

    def is_planned(self, path: str) -> bool:
        """Return whether a file of this export belongs at a path."""
        return self._db.execute("SELECT 1 FROM plan WHERE path = ?", [path]).fetchone() is not None

    def begin_writes(self, writes: Sequence[PendingWrite]) -> None:
        """Commit what is about to be written. The files that the same pages had elsewhere are given up."""
        self._db.executemany("DELETE FROM files WHERE path = ?", [(write.path,) for write in writes])
        self._db.executemany("UPDATE files SET url = NULL WHERE url = ?", [(write.url,) for write in writes])
        self._db.executemany("INSERT INTO files (url, path, key, hash, was) VALUES (?, ?, ?, ?, ?)", writes)
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    def end_writes(self, stats: Iterable[tuple[str, FileStat]]) -> None:
        """Note that the files at these paths are written."""
        self._db.executemany(
            "UPDATE files SET size = ?, mtime = ? WHERE path = ?", [(*stat, path) for path, stat in stats]
        )

    def give_up_unplanned(self) -> None:
        """Give up the files of articles that are not chosen."""
        self._db.execute("UPDATE files SET url = NULL WHERE url NOT IN (SELECT url FROM plan)")

    def given_up(self) -> list[ManifestRow]:
        """Return the files that are to be removed."""
        rows = self._db.execute(f"SELECT {_FILE} FROM files WHERE url IS NULL ORDER BY path")
        return [_written(*row) for row in rows]

    def forget(self, path: str) -> None:
        """Forget a file that is gone, or no longer the export's."""
        self._db.execute("DELETE FROM files WHERE path = ?", [path])


def _columns(place: Target) -> tuple[str, str, str]:
    return place.path, folded(place.path), place.address


def _planned(page: int, url: str, path: str, address: str, changed_at: str) -> PlannedFile:
    return PlannedFile(page, url, Target(path, address), changed_at)


def _written(
    path: str, key: bytes | None, hash_: bytes, was: bytes | None, size: int | None, mtime: int | None
) -> ManifestRow:
    stat = None if size is None or mtime is None else FileStat(size, mtime)
    return ManifestRow(path, key, hash_, was, stat)
