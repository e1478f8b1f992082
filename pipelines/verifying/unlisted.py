"""Find files without a row, and entries that are not files at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipelines.archive.files import HALF_WRITTEN, odd_entry
from pipelines.archive.pending import SAME_PATH
from pipelines.images.paths import FOLDER
from pipelines.verifying.findings import PUT_FILE, Archive, Finding


class ArchiveFolder(NamedTuple):
    """A folder of the archive in which every file has a row."""

    name: str
    query: str
    """Selects what is wrong with a file, given its path in the folder; NULL if nothing is."""
    writer: str
    """What leaves files half written when it is killed."""
    hint: str
    """What to do with a file that is wrong."""


_WITHOUT_ROW = f"SELECT iif(EXISTS (SELECT 1 FROM {{}} WHERE {SAME_PATH}), NULL, 'a file without a row')"
ARTICLES = ArchiveFolder(
    "articles",
    _WITHOUT_ROW.format("articles"),
    "crawl",
    "import it with `alsoread import`, or remove it",
)
COPIES = ArchiveFolder(
    FOLDER,
    _WITHOUT_ROW.format("pictures"),
    "run",
    "`alsoread images` takes it as the copy that belongs there; else remove it",
)


def check_unlisted(archive: Archive, folder: ArchiveFolder, since: float | None) -> Iterator[Finding]:
    """Find files that no row wants; those written after `since` (seconds since the epoch) are skipped."""
    root = archive.data / folder.name
    for parent, folders, names in os.walk(root):
        folders.sort()
        for path in (Path(parent) / name for name in (*folders, *sorted(names))):
            name = path.relative_to(root).as_posix()
            if odd := odd_entry(path):
                yield Finding(where=f"{folder.name}/{name}", what=odd, hint=PUT_FILE)
            if odd or path.is_dir() or (since and path.lstat().st_mtime > since):
                continue
            hint = folder.hint
            (what,) = archive.db.execute(folder.query, {"path": name}).fetchone()
            if Path(parent).name == HALF_WRITTEN:
                what, hint = (
                    f"half written by a {folder.writer} that was killed",
                    "the next command that writes removes it",
                )
            if what:
                yield Finding(where=f"{folder.name}/{name}", what=what, hint=hint)
