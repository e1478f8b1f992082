"""Settle the files that a run put in place and did not come to commit: it was killed, or the disk was full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlite_utils import Database

from pipelines.archive import articles
from pipelines.archive.article_file import write
from pipelines.archive.files import (
    Pending,
    forget_pending,
    has_pending,
    hash_of,
    pending_files,
    read_file,
    remove_file,
    sweep,
)

SAME_PATH = "path = :path AND path = :path COLLATE BINARY"
"""Condition on a row. The index of paths takes `A` for `a`: it finds the row, and the second term compares it."""
_ROWS = {
    "articles": f"SELECT id, file_hash FROM articles WHERE {SAME_PATH}",
    "images": f"SELECT NULL, hash FROM pictures WHERE {SAME_PATH}",
}
"""Queries by folder for a file's row: the page if the file can be made from it, and the file's hash."""


def settle_pending(db: Database, data: Path) -> None:
    """Settle pending files by their rows: remove new files without a row, rewrite those of articles.

    Call it outside of a transaction. Raises OSError and sqlite3.Error.
    """
    for folder, query in _ROWS.items():
        root = data / folder
        if not has_pending(root):
            continue
        db.execute("BEGIN IMMEDIATE")  # the writing process of a run that was killed may still commit
        try:
            with pending_files(root) as files:
                for file in files:
                    _settle(db, root, file, db.execute(query, {"path": str(file.name)}).fetchone())
        finally:
            db.conn.rollback()
        forget_pending(root)  # what was written anew


def clear_up(db: Database, data: Path) -> None:
    """Settle the pending files of an archive, and remove files that are half written.

    Call it with the archive locked, outside of a transaction. Raises OSError and sqlite3.Error.
    """
    settle_pending(db, data)
    for folder in _ROWS:
        sweep(data / folder)


@contextmanager
def committed_together(db: Database, data: Path) -> Iterator[None]:
    """Commit the rows and the files that the block writes, or none of them. Raises OSError and sqlite3.Error."""
    # At once: a transaction that reads first may not write any more when another program wrote meanwhile.
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.conn.commit()
    except BaseException:
        db.conn.rollback()
        settle_pending(db, data)
        raise
    forget_all_pending(data)


@contextmanager
def rolled_back(db: Database) -> Iterator[None]:
    """Undo the rows that the block writes. It must write no file."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.conn.rollback()


def forget_all_pending(data: Path) -> None:
    """Mark all files that this process wrote as committed."""
    for folder in _ROWS:
        forget_pending(data / folder)


def _settle(db: Database, root: Path, file: Pending, row: tuple[int | None, str | None] | None) -> None:
    content = read_file(root, file.name)
    if content is None or hash_of(content) != file.hash:  # it never came to its place, or is another by now
        return
    if row is None:
        if file.is_new:  # what it replaced may have been the only copy of something: that is left
            remove_file(root, file.name)
        return
    page, hash_ = row
    if page is None or hash_ in (None, file.hash):
        return
    with suppress(ValueError, TypeError):  # a damaged row, which `verify` is for
        article = articles.load(db, page)
        if articles.hash_of_file(article) == hash_:
            write(root, article)
