"""Open the catalog: for reading only, or locked for the one program that writes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlite_utils import Database

from crawler.errors import AlsoreadError, CatalogError, LockedError, UsageError
from pipelines.archive.schema import MIGRATIONS
from pipelines.archive.storage_errors import ends_run, explain

_BUSY_TIMEOUT_SECONDS = 120.0
"""Seconds that a writer waits while another program writes to the catalog."""
_CACHE_BYTES = 24 * 2**20
"""Bytes of SQLite's cache: a commit touches pages all over the indexes."""
_ANALYZED_ROWS = 1_000
"""Rows of an index from which SQLite learns how to use it, when it is asked to optimize."""
_MAX_WAL_BYTES = 64 * 2**20
"""Bytes of the write-ahead log from which on a commit checkpoints it."""


def connect(path: Path) -> Database:
    """Open the catalog for writing."""
    # By its URI, so that another catalog can be attached to be read only.
    db = Database(sqlite3.connect(path.absolute().as_uri(), uri=True, timeout=_BUSY_TIMEOUT_SECONDS))
    try:
        # A power cut may undo the last transactions, never half of one: their pages are then due again.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{_CACHE_BYTES >> 10}")
        db.execute(f"PRAGMA wal_autocheckpoint = {_MAX_WAL_BYTES // 4096}")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA analysis_limit = {_ANALYZED_ROWS}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def open_readonly(path: Path) -> Database:
    """Open the catalog read-only. Raises AlsoreadError if there is none, or if it can't be read.

    One of an older version may lack what a query asks for: see `outdated_error`.
    """
    if not path.is_file():
        raise UsageError(f"There is no archive at {path} yet: `alsoread crawl` makes one.")
    try:
        db = _checked(Database(sqlite3.connect(readonly_uri(path), uri=True)), path)
    except sqlite3.Error as error:
        if ends_run(error):
            raise explain(error, path) from None
        raise CatalogError(
            f"{path} can't be read as a catalog: {error}. Move it away: `alsoread rebuild` makes a new one.",
        ) from None
    if not MIGRATIONS.applied(db):
        db.close()
        raise CatalogError(f"{path} is not a catalog of alsoread.")
    return db


def open_current(path: Path) -> Database:
    """Open the catalog read-only. Raises AlsoreadError, also if it is of an older version."""
    db = open_readonly(path)
    if error := outdated_error(db, path):
        db.close()
        raise error
    return db


def outdated_error(db: Database, path: Path) -> CatalogError | None:
    """Return the error of a command that can't read a catalog of an older version; None if it is of this one."""
    if not (missing := len(MIGRATIONS.pending(db))):
        return None
    version = schema_version(db)
    return CatalogError(
        f"{path} has schema {version}, and this alsoread reads schema {version + missing}: "
        f"`alsoread upgrade --data {path.parent}` brings it up to date."
    )


def schema_version(db: Database) -> int:
    """Return the number of the last migration that the catalog has."""
    return len(MIGRATIONS.applied(db))


def readonly_uri(path: Path) -> str:
    """Return SQLite's URI for reading a catalog; on a read-only disk it can't create its `-wal` file."""
    alone = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if alone else 'mode=ro'}"


def _checked(db: Database, path: Path) -> Database:
    """Return the database if it is a catalog of a known version; close it if not."""
    try:
        with closing(Database(memory=True)) as empty:
            known = {migration.name for migration in MIGRATIONS.pending(empty)}
        unknown = [step.name for step in MIGRATIONS.applied(db) if step.name not in known]
        if unknown:
            raise CatalogError(
                f"{path} was written by a newer alsoread ({unknown[-1]}): update alsoread, or use another --data.",
            )
    except BaseException:
        db.close()
        raise
    return db


def _migrated(path: Path) -> Database:
    db = _checked(connect(path), path)
    db.enable_wal()
    MIGRATIONS.apply(db)
    return db


def lock_and_open(path: Path) -> tuple[FileLock, Database]:
    """Lock an archive and open its catalog for writing, or create it. Raises AlsoreadError."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        # Commands that only read need none of this, and it takes half of their start to load.
        from pipelines.archive.pending import clear_up
        from pipelines.archive.warc_index import close_files

        db = _migrated(path)
        clear_up(db, path.parent)
        close_files(db, path.parent)
        return lock, db
    except Timeout:
        raise LockedError(lock_owner(path)) from None
    except (OSError, sqlite3.Error) as error:
        lock.release()
        raise explain(error, path) from None
    except AlsoreadError:
        lock.release()
        raise


@contextmanager
def open_locked(path: Path) -> Iterator[Database]:
    """Open and lock the catalog for writing. Raises AlsoreadError, also if there is none."""
    open_readonly(path).close()
    lock, db = lock_and_open(path)
    from pipelines.archive.warc_index import close_files

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
