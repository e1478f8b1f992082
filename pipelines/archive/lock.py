"""Lock an archive for the one program that writes to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlite_utils import Database

from crawler.errors import AlsoreadError, LockedError
from pipelines.archive.connection import open_migrated, open_readonly
from pipelines.archive.pending import clear_up
from pipelines.archive.storage_errors import explain
from pipelines.archive.warc_index import close_files


def lock_and_open(path: Path) -> tuple[FileLock, Database]:
    """Lock an archive and open its catalog for writing, or create it. Raises AlsoreadError."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as on_error:
            lock.acquire(timeout=0)
            on_error.callback(lock.release)
            db = open_migrated(path)
            on_error.callback(db.close)
            clear_up(db, path.parent)
            close_files(db, path.parent)
            on_error.pop_all()
    except Timeout:
        raise LockedError(lock_owner(path)) from None
    except (OSError, sqlite3.Error) as error:
        raise explain(error, path) from None
    return lock, db


@contextmanager
def open_locked(path: Path) -> Iterator[Database]:
    """Open and lock the catalog for writing. Raises AlsoreadError, also if there is none."""
    open_readonly(path).close()
    lock, db = lock_and_open(path)
    try:
        yield db
    finally:
        with suppress(OSError, sqlite3.Error):  # the next command that writes does it
            close_files(db, path.parent)
        db.close()
        lock.release()


def is_locked(path: Path) -> bool:
    """Return whether another program has locked the archive."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        if Path(lock.lock_file).is_file():  # else asking would make one
            lock.acquire(timeout=0)
            lock.release()
    except Timeout:
        return True
    except OSError:  # the folder is for reading only
        return False
    return False


def lock_owner(path: Path) -> str:
    """Return a sentence that names who has locked the archive."""
    try:
        with closing(open_readonly(path)) as db:
            row = next(db.query("SELECT id, pid, started_at FROM crawls WHERE ended_at IS NULL"), None)
    except AlsoreadError:
        row = None
    who = (
        "crawl {id} (process {pid}, since {started_at})".format(**row)
        if row
        else "another command that writes to it"
    )
    return f"{path.parent} is locked by {who}: wait for it to end, or use another --data."
