"""Merge images: their rows, and their files where these are what the rows say."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sqlite_utils import Database

from pipelines.archive.files import Put, hash_of, read_file
from pipelines.images import rows
from pipelines.images.paths import FOLDER, is_place

_BETTER = """
FROM other.pictures AS theirs LEFT JOIN main.pictures AS ours USING (url)
WHERE (ours.url IS NULL
       OR ours.state <> 'stored' AND (theirs.state = 'stored' OR theirs.fetched_at > ours.fetched_at))
"""
"""A stored copy of ours stays; else their row counts if they have a copy, or tried later."""


def merge_images(db: Database, other: Path, put: Put) -> int:
    """Merge the images of the catalog at `other`, which is attached as `other`. Returns how many files were added.

    An image whose file is missing beside that catalog, or damaged, is due again. Raises OSError.
    """
    values = ", ".join(f"theirs.{name}" for name in ("url", "path", "type", "hash", "fetched_at"))
    copies = db.execute(f"SELECT {values} {_BETTER} AND theirs.state = 'stored'").fetchall()
    columns = ", ".join(f"theirs.{name}" for name in rows.COLUMNS)
    db.execute(
        f"INSERT INTO main.pictures ({', '.join(rows.COLUMNS)}) SELECT {columns} {_BETTER} {rows.UPDATE}"
    )
    added = 0
    for url, path, kind, expected, fetched_at in copies:
        content = _content(other.parent / FOLDER, path) if is_place(path, url, kind) else None
        if content is not None and hash_of(content) == expected:
            put(PurePosixPath(path), content)
            added += 1
        else:
            rows.fetch_again(db, url, fetched_at, f"{other.parent} had no valid copy of it")
    return added


def _content(root: Path, path: str) -> bytes | None:
    try:
        return read_file(root, PurePosixPath(path))
    except OSError:
        return None
