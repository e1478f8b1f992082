"""Open the catalog, for reading only or for writing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from crawler.errors import CatalogError, UsageError
from pipelines.archive import sqlite_plugin
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
    db = _database(path.absolute().as_uri(), _BUSY_TIMEOUT_SECONDS)
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
        db = _checked(_database(readonly_uri(path)), path)
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


def _database(uri: str, timeout: float = 5.0) -> Database:
    """Open a database. Other plugins of sqlite-utils are for its own commands: to look for them takes time."""
    db = Database(sqlite3.connect(uri, uri=True, timeout=timeout), execute_plugins=False)
    sqlite_plugin.prepare_connection(db.conn)
    return db


def _checked(db: Database, path: Path) -> Database:
    """Return the database if it is a catalog of a known version; close it if not."""
    try:
        with closing(Database(memory=True, execute_plugins=False)) as empty:
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


def open_migrated(path: Path) -> Database:
    """Open the catalog for writing in this version's schema, or create it. Raises CatalogError and sqlite3.Error."""
    db = _checked(connect(path), path)
    try:
        db.enable_wal()
        MIGRATIONS.apply(db)
    except BaseException:
        db.close()
        raise
    return db
