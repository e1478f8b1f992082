"""The pictures of another archive: their rows, and their copies where they are what the rows say."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sqlite_utils import Database

from pipelines.archive.files import files_written, hash_of, read_file
from pipelines.images import rows
from pipelines.images.paths import FOLDER, is_place

_BETTER = """
FROM other.pictures AS theirs LEFT JOIN main.pictures AS ours USING (url)
WHERE (ours.url IS NULL
       OR ours.state <> 'stored' AND (theirs.state = 'stored' OR theirs.fetched_at > ours.fetched_at))
"""
"""A copy that is here stays; else theirs counts where they have one, or asked later."""


def take_over(db: Database, data: Path, other: Path) -> int:
    """Takes over what the catalog `other`, attached as that, knows better of pictures. Returns how many copies came.

    Copies lie beside the other catalog; a picture whose copy is not there is due again. Raises OSError.
    """
    told = ", ".join(f"theirs.{name}" for name in ("url", "path", "type", "hash", "fetched_at"))
    copies = db.execute(f"SELECT {told} {_BETTER} AND theirs.state = 'stored'").fetchall()
    columns = ", ".join(f"theirs.{name}" for name in rows.COLUMNS)
    db.execute(
        f"INSERT INTO main.pictures ({', '.join(rows.COLUMNS)}) SELECT {columns} {_BETTER} {rows.UPDATE}"
    )
    came = 0
    with files_written(data / FOLDER) as put:
        for url, path, kind, expected, fetched_at in copies:
            content = _content(other.parent / FOLDER, path) if is_place(path, url, kind) else None
            if content is not None and hash_of(content) == expected:
                put(PurePosixPath(path), content)
                came += 1
            else:
                rows.fetch_again(db, url, fetched_at, f"{other.parent} had no sound copy of it")
    return came


def _content(root: Path, path: str) -> bytes | None:
    try:
        return read_file(root, PurePosixPath(path))
    except OSError:
        return None
