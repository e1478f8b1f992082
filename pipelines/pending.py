"""Settle the files that a run put in place and did not come to commit: it was killed, or the disk was full."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from sqlite_utils import Database

from pipelines import articles
from pipelines.files import hash_of, pending_files
from pipelines.markdown import write

_ASKED = "(SELECT value FROM json_each(?))"
_FILES = {
    "articles": f"SELECT path, id, file_hash FROM articles WHERE path IN {_ASKED}",  # noqa: S608
    "images": f"SELECT path, NULL, hash FROM pictures WHERE path IN {_ASKED}",  # noqa: S608
}
"""The folders of an archive whose files have rows; by path, the article that gives the file back, and its hash."""


def settle_pending(db: Database, data: Path) -> None:
    """Remove the pending files of an archive that have no row, and give those of articles what their rows say.

    To be called outside of a transaction. Raises OSError and sqlite3.Error.
    """
    for folder, query in _FILES.items():
        with pending_files(data / folder) as names:
            if not names:
                continue
            db.execute("BEGIN IMMEDIATE")  # the writing process of a run that was killed may still commit
            try:
                _settle(db, query, data / folder, names)
            finally:
                db.conn.rollback()


def forget_all_pending(data: Path) -> None:
    """Note that the rows of all files of an archive are committed."""
    for folder in _FILES:
        with pending_files(data / folder):
            pass


def _settle(db: Database, query: str, root: Path, names: Collection[PurePosixPath]) -> None:
    asked = json.dumps([*map(str, names)])
    rows = {path: (page, hash_) for path, page, hash_ in db.execute(query, [asked])}
    for name in names:
        if str(name) not in rows:
            (root / name).unlink(missing_ok=True)
            continue
        page, hash_ = rows[str(name)]
        if page is not None and not _is_as_stored(root / name, hash_):
            write(root, articles.load(db, page))


def _is_as_stored(path: Path, hash_: str | None) -> bool:
    try:
        return hash_ is None or hash_of(path.read_bytes()) == hash_
    except FileNotFoundError:
        return False
