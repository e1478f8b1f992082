"""Report of an archive: one HTML page that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from crawler.reports.page.contents import Contents, gather
from crawler.reports.page.render import FIRST_LINE, render
from pipelines.archive.whole import reading, written_whole


def write(db: Database, file: Path) -> Contents:
    """Write the report of an archive to a file, whole or not at all; a report that is there is replaced.

    Raises UsageError if the file is anything else, and DiskError if it can't be written.
    """
    contents = gather(db)
    page = render(contents)
    with written_whole(file, replace=_is_report(file)) as half:
        half.write_text(page, encoding="utf-8", newline="\n")
    return contents


def _is_report(file: Path) -> bool:
    if not file.is_file():
        return False
    with reading(file), file.open("rb") as existing:
        return existing.read(len(FIRST_LINE)) == FIRST_LINE.encode()
