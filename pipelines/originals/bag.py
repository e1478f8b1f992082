"""Copy an archive to a BagIt package: its catalog, articles, images and WARC files, with a hash of each."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import bagit
from sqlite_utils import Database

from crawler.errors import DiskError
from crawler.text import counted
from pipelines.archive.backup import copy_catalog
from pipelines.archive.connection import schema_version
from pipelines.archive.files import HALF_WRITTEN, odd_entry
from pipelines.archive.warc import FOLDER
from pipelines.archive.whole import reading, written_whole

_FOLDERS = ("articles", "images", FOLDER)
_COUNTS = {
    "Alsoread-Articles": "SELECT count(*) FROM articles",
    "Alsoread-Hosts": "SELECT count(DISTINCT host) FROM articles",
    "Alsoread-Images": "SELECT count(*) FROM pictures WHERE state = 'stored'",
    "Alsoread-Records": "SELECT count(*) FROM warc_records",
    "Alsoread-Crawls": "SELECT count(*) FROM crawls",
}
"""Fields of bag-info.txt, and what they count."""
_SPAN = "SELECT min(started_at), max(coalesce(ended_at, started_at)) FROM crawls"


class Contents(NamedTuple):
    """What a package has."""

    files: int
    size: int
    """Bytes."""
    description: str
    """A sentence."""


def make(db: Database, data: Path, target: Path) -> Contents:
    """Make a new package of a locked archive, and validate it.

    Raises AlsoreadError, OSError and sqlite3.Error.
    """
    with written_whole(target) as half:
        half.mkdir()
        copy_catalog(db, half / "archive.db")
        for folder in _FOLDERS:
            for source in _files(data / folder):
                copy = half / source.relative_to(data)
                copy.parent.mkdir(parents=True, exist_ok=True)
                with reading(source):
                    content = source.open("rb")
                with content, copy.open("xb") as out:
                    shutil.copyfileobj(content, out)
        info = _info(db)
        _quiet_library()
        try:
            package = bagit.make_bag(str(half), info, checksums=["sha512"])
            package.validate()
        except bagit.BagError as error:
            raise DiskError(f"{target} can't be written: {error}.") from None
    size, _, files = package.info["Payload-Oxum"].partition(".")
    return Contents(int(files), int(size), info["External-Description"])


def _files(root: Path) -> Iterator[Path]:
    """Yield the files below a folder; links and files that are half written are no part of an archive."""
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != HALF_WRITTEN)
        yield from (path for name in sorted(names) if not odd_entry(path := Path(parent, name)))


def _info(db: Database) -> dict[str, str]:
    """Return the fields of bag-info.txt that say what is in the package."""
    counts = {name: str(db.execute(query).fetchone()[0]) for name, query in _COUNTS.items()}
    began, ended = db.execute(_SPAN).fetchone()
    articles = counted(int(counts["Alsoread-Articles"]), "article")
    hosts = counted(int(counts["Alsoread-Hosts"]), "host")
    records = counted(int(counts["Alsoread-Records"]), "record")
    crawled = f", crawled from {began[:10]} to {ended[:10]}" if began else ""
    return {
        **counts,
        "External-Description": f"{articles} of {hosts} and {records} of what was fetched{crawled}.",
        "Alsoread-Version": version("alsoread"),
        "Alsoread-Schema": str(schema_version(db)),
    }


def _quiet_library() -> None:
    """Let the library print nothing: its errors become ours."""
    bagit.LOGGER.addHandler(logging.NullHandler())
    bagit.LOGGER.propagate = False
