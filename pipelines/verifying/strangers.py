"""The files of an archive that no row knows, and what stands in a file's place without being one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipelines.archive.files import HALF_WRITTEN, odd_entry
from pipelines.images.paths import FOLDER
from pipelines.verifying.findings import PUT_FILE, Archive, Finding


class Files(NamedTuple):
    """A folder of files that each have a row, and what is said of a file without one."""

    folder: str
    rows: str
    """Finds the row of a file by its path in the folder."""
    writer: str
    """What leaves files half written when it is killed."""
    mend: str


ARTICLES = Files(
    "articles",
    "SELECT 1 FROM articles WHERE path = ? COLLATE BINARY",
    "crawl",
    "`alsoread import` takes it in; else take it away",
)
COPIES = Files(
    FOLDER,
    "SELECT 1 FROM pictures WHERE path = ? COLLATE BINARY",
    "run",
    "`alsoread images` takes it for the copy that belongs there; else take it away",
)


def strangers(archive: Archive, of: Files, since: float | None) -> Iterator[Finding]:
    """Yield the files of a folder that no row knows.

    `since`: those that were written after that moment (seconds since the epoch) are passed over.
    """
    root = archive.data / of.folder
    for folder, folders, names in os.walk(root):
        folders.sort()
        for path in (Path(folder) / name for name in (*folders, *sorted(names))):
            known = path.relative_to(root).as_posix()
            if odd := odd_entry(path):
                yield Finding(where=f"{of.folder}/{known}", what=odd, mend=PUT_FILE)
            if odd or path.is_dir():
                continue
            if since and path.lstat().st_mtime > since:
                continue
            if Path(folder).name == HALF_WRITTEN:
                what = f"half written by a {of.writer} that was killed"
                mend = "the next command that writes takes it away"
            elif archive.db.execute(of.rows, [known]).fetchone():
                continue
            else:
                what, mend = "a file that no row knows", of.mend
            yield Finding(where=f"{of.folder}/{known}", what=what, mend=mend)
