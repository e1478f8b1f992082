"""Settle the files that a run put in place and did not come to commit: it was killed, or the disk was full."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from sqlite_utils import Database

from pipelines import articles
from pipelines.files import hash_of, pending_files
from pipelines.markdown import write

_ROOTS = {"articles": "articles", "pictures": "images"}
"""The folder of the files of each table with a column `path`."""


def settle_pending(db: Database, data: Path) -> None:
    """Remove the pending files of an archive that have no row, and give those of articles what their rows say.

    To be called outside of a transaction. Raises OSError and sqlite3.Error.
    """
    for table, folder in _ROOTS.items():
        with pending_files(data / folder) as names:
            if not names:
                continue
            db.execute("BEGIN IMMEDIATE")  # the writing process of a run that was killed may still commit
            try:
                _settle(db, data / folder, table, names)
            finally:
                db.conn.rollback()


def forget_all_pending(data: Path) -> None:
    """Note that the rows of all files of an archive are committed."""
    for folder in _ROOTS.values():
        with pending_files(data / folder):
            pass


def _settle(db: Database, root: Path, table: str, names: Collection[PurePosixPath]) -> None:
    hashes = "file_hash" if table == "articles" else "hash"
    query = f"SELECT path, id, {hashes} FROM {table} WHERE path IN (SELECT value FROM json_each(?))"  # noqa: S608
    if table == "pictures":
        query = query.replace(" id,", " NULL,")
    rows = {path: (page, hash_) for path, page, hash_ in db.execute(query, [json.dumps([*map(str, names)])])}
    for name in names:
        page, hash_ = rows.get(str(name), (None, None))
        if str(name) not in rows:
            (root / name).unlink(missing_ok=True)
        elif page is not None and not _is_as_stored(root / name, hash_):
            write(root, articles.load(db, page))


def _is_as_stored(path: Path, hash_: str | None) -> bool:
    try:
        return hash_ is None or hash_of(path.read_bytes()) == hash_
    except FileNotFoundError:
        return False
