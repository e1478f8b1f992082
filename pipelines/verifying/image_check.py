"""The copies of pictures: every one is where its row says, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from crawler.clock import now
from crawler.items import iso
from pipelines.archive.files import hash_of, read_file
from pipelines.images import rows
from pipelines.images.paths import FOLDER, is_place
from pipelines.verifying.findings import Archive, Finding
from pipelines.verifying.repair import put_aside


def damaged(archive: Archive) -> Iterator[Finding]:
    """The copies that are not what was fetched."""
    for url, path, kind, expected in archive.db.execute(
        "SELECT url, path, type, hash FROM pictures WHERE state = 'stored' ORDER BY path"
    ):
        mend, cure = "--repair makes it due again for `alsoread images`", _make_due
        if not is_place(path, url, kind):
            what = "its path is not that of its address"
        elif (held := _hash(archive.data / FOLDER, path)) is None:
            what = "is missing"
        elif held != expected:
            what, cure = "is not what was fetched", _put_aside
            mend += "; what is there now is put aside into damaged/"
        else:
            continue
        yield Finding(where=f"{FOLDER}/{path}", what=what, mend=mend, cure=partial(cure, url))


def _hash(root: Path, path: str) -> str | None:
    try:
        content = read_file(root, PurePosixPath(path))
    except OSError:
        return None
    return None if content is None else hash_of(content)


def _put_aside(url: str, archive: Archive) -> None:
    (path,) = archive.db.execute("SELECT path FROM pictures WHERE url = ?", [url]).fetchone()
    put_aside(archive, archive.data / FOLDER, PurePosixPath(path))
    _make_due(url, archive)


def _make_due(url: str, archive: Archive) -> None:
    with archive.db.atomic():
        rows.fetch_again(archive.db, url, iso(now()), "its copy was missing or damaged")
