"""Remember what an export wrote: an SQLite database in the export's own folder.

A file belongs to the export while its content has one of the hashes in its row. The row is written before the
file, so an export that was killed knows its files again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Self

from crawler.errors import CatalogError
from pipelines.archive.storage_errors import ends_run
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
"""
_CHECKPOINT_PAGES = 8_000
"""About 32 MB."""


class ManifestRow(NamedTuple):
    """A file that the export wrote."""

    path: str
    key: bytes
    """Hash of what it is made of."""
    hash: bytes
    previous_hash: bytes | None
    """Of what the file may still hold if the export was killed before it was written."""
    size: int | None
    mtime: int | None

    @property
    def stat(self) -> FileStat | None:
        """Return the file's size and time when it was written; None where it may not have been."""
        return None if self.size is None or self.mtime is None else FileStat(self.size, self.mtime)


_FILES = "SELECT path, key, hash, was, size, mtime FROM files"


class Manifest:
    """Keep a row for each file, as a context manager that commits. Raises AlsoreadError if it is not a database."""

    def __init__(self, path: Path | str, source: Path | None = None) -> None:
        """Open or create it at a path, with the rows of another where there is a `source`."""
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            if source:
                _copy(source, self._db)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            # A checkpoint waits for the disk, and so for all the files that were written meanwhile.
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._db.close()
            if ends_run(error):
                raise
            message = f"{source or path} is damaged ({error}): remove it; files that are up to date are known again."
            raise CatalogError(message) from None

    def __enter__(self) -> Self:
        self._db.execute("BEGIN")
        return self

    def __exit__(self, error: object, *_: object) -> None:
        try:
            if not error:  # else a part of a step could be kept
                self._db.execute("COMMIT")
        finally:
            self._db.close()

    def of_url(self, url: str) -> ManifestRow | None:
        """Return the row of the file of an article or a picture."""
        return self._row("url", url)

    def of_path(self, path: str) -> ManifestRow | None:
        """Return the row of the file at a path."""
        return self._row("path", path)

    def _row(self, column: str, value: str) -> ManifestRow | None:
        row = self._db.execute(f"{_FILES} WHERE {column} = ?", [value]).fetchone()
        return row and ManifestRow(*row)

    def begin_write(self, url: str, path: str, key: bytes, hash_: bytes, previous_hash: bytes | None) -> None:
        """Commit that a file is about to be written. The one that the same page had elsewhere is given up."""
        self._db.execute("DELETE FROM files WHERE path = ?", [path])
        self.give_up([url])
        query = "INSERT INTO files (url, path, key, hash, was) VALUES (?, ?, ?, ?, ?)"
        self._db.execute(query, [url, path, key, hash_, previous_hash])
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    def end_write(self, path: str, stat: FileStat) -> None:
        """Note that the file at a path is written."""
        self._db.execute("UPDATE files SET size = ?, mtime = ? WHERE path = ?", [*stat, path])

    def urls(self) -> Iterator[str]:
        """Yield the addresses of what has a file."""
        for (url,) in self._db.execute("SELECT url FROM files WHERE url IS NOT NULL"):
            yield url

    def give_up(self, urls: Iterable[str]) -> None:
        """Give up the files of articles and pictures, which are then to be removed."""
        self._db.executemany("UPDATE files SET url = NULL WHERE url = ?", [(url,) for url in urls])

    def given_up(self) -> list[ManifestRow]:
        """Return the files that are to be removed."""
        rows = self._db.execute(f"{_FILES} WHERE url IS NULL ORDER BY path")
        return [ManifestRow(*row) for row in rows]

    def forget(self, path: str) -> None:
        """Forget a file that is gone, or no longer the export's."""
        self._db.execute("DELETE FROM files WHERE path = ?", [path])


def copy_of_manifest(path: Path) -> Manifest:
    """Return a manifest in memory with the rows of the one at a path, if there is one. Raises AlsoreadError."""
    return Manifest(":memory:", path if path.is_file() else None)


def _copy(path: Path, target: sqlite3.Connection) -> None:
    # Only so does SQLite not create the files beside it that it needs to write.
    alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)) as source:
        source.backup(target)
