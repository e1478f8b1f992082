"""Back up a catalog to a single file, also while a crawl writes to it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from crawler.clock import now
from crawler.errors import DiskError, UsageError
from crawler.items import iso
from pipelines.archive.connection import connect, open_current


def back_up(path: Path, target: Path) -> int:
    """Copy the catalog at `path` to a new file, whole or not at all, and record it. Return its size in bytes.

    The copy is the catalog of one moment. Raises AlsoreadError, also if the file exists.
    """
    if target.exists():
        raise UsageError(f"{target} exists: name another file.")
    half = target.with_name(f".{target.name}.part")
    with closing(open_current(path)) as db:
        try:
            half.unlink(missing_ok=True)
            with closing(sqlite3.connect(half)) as copy:
                db.conn.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, also once it has been opened
            _sync(half)
            half.rename(target)
            _sync(target.parent)
        except (OSError, sqlite3.Error) as error:
            half.unlink(missing_ok=True)
            raise DiskError(f"{target} can't be written: {error}.") from None
    size = target.stat().st_size
    with closing(connect(path)) as db, db.atomic():
        row = {"made_at": iso(now()), "path": str(target.absolute()), "bytes": size}
        db.table("backups").insert(row)
    return size


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
