"""Check the copies of pictures against their rows, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from crawler.clock import now
from crawler.items import iso
from pipelines.archive.files import hash_of, read_file
from pipelines.images import rows
from pipelines.images.paths import FOLDER, is_place
from pipelines.verifying.findings import FILE_IS_MOVED, Archive, Finding
from pipelines.verifying.repair import move_to_damaged


def check_copies(archive: Archive) -> Iterator[Finding]:
    """Find copies that are missing, in the wrong place, or not what was fetched."""
    for url, path, media_type, fetched_hash in archive.db.execute(
        "SELECT url, path, type, hash FROM pictures WHERE state = 'stored' ORDER BY path"
    ):
        hint, repair = "--repair makes it due again for `alsoread images`", _make_due
        if not is_place(path, url, media_type):
            what = "its path is not that of its address"
        elif (file_hash := _hash(archive.data / FOLDER, path)) is None:
            what = "is missing"
        elif file_hash != fetched_hash:
            what, repair = "is not what was fetched", _replace
            hint = f"{hint}; {FILE_IS_MOVED}"
        else:
            continue
        yield Finding(where=f"{FOLDER}/{path}", what=what, hint=hint, repair=partial(repair, url))


def _hash(root: Path, path: str) -> str | None:
    try:
        content = read_file(root, PurePosixPath(path))
    except OSError:
        return None
    return None if content is None else hash_of(content)


def _replace(url: str, archive: Archive) -> None:
    (path,) = archive.db.execute("SELECT path FROM pictures WHERE url = ?", [url]).fetchone()
    move_to_damaged(archive, archive.data / FOLDER, PurePosixPath(path))
    _make_due(url, archive)


def _make_due(url: str, archive: Archive) -> None:
    with archive.db.atomic():
        rows.fetch_again(archive.db, url, iso(now()), "its copy was missing or damaged")
