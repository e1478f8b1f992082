"""Back up a catalog to a single file, also while a crawl writes to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from crawler.clock import now
from crawler.errors import DiskError
from crawler.items import iso
from pipelines.archive.connection import connect, open_current
from pipelines.archive.whole import written_whole


def back_up(path: Path, target: Path) -> int:
    """Copy the catalog at `path` to a new file, whole or not at all, and record it. Return its size in bytes.

    Raises AlsoreadError, also if the file exists.
    """
    with closing(open_current(path)) as db, written_whole(target) as half:
        try:
            copy_catalog(db, half)
        except sqlite3.Error as error:
            raise DiskError(f"{target} can't be written: {error}.") from None
    size = target.stat().st_size
    with closing(connect(path)) as db, db.atomic():
        row = {"made_at": iso(now()), "path": str(target.absolute()), "bytes": size}
        db.table("backups").insert(row)
    return size


def copy_catalog(db: Database, target: Path) -> None:
    """Copy a catalog, as it is at one moment, to a single file. Raises sqlite3.Error."""
    with closing(sqlite3.connect(target)) as copy:
        db.conn.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, also once it has been opened
