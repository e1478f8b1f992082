"""Merge originals: WARC files with their indexes, and the rows of their records."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sqlite_utils import Database

from pipelines.archive.files import odd_entry
from pipelines.archive.warc import FOLDER
from pipelines.archive.warc_index import index_of

_RECORDS = """
INSERT INTO main.warc_records (url, fetched_at, status, kind, type, digest, file, offset, length)
SELECT url, fetched_at, status, kind, type, digest, ours.id, offset, length
FROM other.warc_records AS theirs JOIN other.warc_files AS their_file ON their_file.id = theirs.file
JOIN main.warc_files AS ours USING (name)
ON CONFLICT (file, offset) DO NOTHING
"""
_RECORD_MAP = """
INSERT INTO record_map (old, new)
SELECT theirs.id, ours.id
FROM other.warc_records AS theirs JOIN other.warc_files AS their_file ON their_file.id = theirs.file
JOIN main.warc_files AS our_file USING (name)
JOIN main.warc_records AS ours ON ours.file = our_file.id AND ours.offset = theirs.offset
"""


def merge_records(db: Database) -> None:
    """Merge the rows of records of the catalog that is attached as `other`; `record_map` gets their ids."""
    db.execute(
        "INSERT INTO main.warc_files (name) SELECT name FROM other.warc_files WHERE true ON CONFLICT DO NOTHING"
    )
    db.execute(_RECORDS)
    db.execute(_RECORD_MAP)


def copy_files(data: Path, other: Path) -> None:
    """Copy the WARC files of the archive in the folder `other` that this one does not have. Raises OSError.

    Before the rows are committed: a file whose rows are missing gets them from the next command that writes.
    """
    folder = data / FOLDER
    for path in sorted((other / FOLDER).glob("*.warc.gz")):
        if odd_entry(path):
            continue
        folder.mkdir(exist_ok=True)
        for source in (path, index_of(path)):
            if source.is_file() and not (folder / source.name).exists():
                _copy(source, folder / source.name)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all."""
    half = target.with_name(f".{target.name}.half")
    try:
        with source.open("rb") as original, half.open("wb") as copy:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
