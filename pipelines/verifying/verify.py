"""Whether an archive is what it should be: its catalog in itself, and every file against its row.

Looking changes nothing. What is mended is what the archive still holds the truth of.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from time import time

from pipelines.archive.catalog import hold, is_held, read
from pipelines.archive.files import HALF_WRITTEN, odd_entry
from pipelines.archive.pending import forget_all_pending
from pipelines.archive.storage_errors import ends_run, explain, is_full, is_locked
from pipelines.quarantine import LOOK
from pipelines.verifying import image_check
from pipelines.verifying.article_check import judge
from pipelines.verifying.findings import PUT_FILE, REBUILD, Archive, Cure, Finding
from pipelines.verifying.repair import add_hosts, fill_hashes, rebuild_indexes, rebuild_search
from pipelines.verifying.row_rules import broken
from pipelines.verifying.strangers import ARTICLES, COPIES, strangers

_UNDER_WAY = 60.0
"""Seconds: what a running crawl wrote in the minute before is not looked at."""


def verify(data: Path) -> Iterator[Finding]:
    """What is wrong with the archive in a folder. Raises ArchiveError where its catalog can't be read at all."""
    path = data / "archive.db"
    yield from _findings(path, time() - _UNDER_WAY if is_held(path) else None)


def repair(data: Path) -> Iterator[Finding]:
    """Mends what can be in the archive in a folder: each finding, once it is mended. Raises ArchiveError.

    It looks again and again, as one mend may bring another to light.
    """
    path = data / "archive.db"
    with hold(path) as db:
        archive = Archive(data, db)
        tried: set[tuple[str, str]] = set()
        more = True
        while more:
            more = False
            for finding in _findings(path, None):
                if finding.cure and (finding.where, finding.what) not in tried:
                    tried.add((finding.where, finding.what))
                    more = True
                    if _mends(finding.cure, archive):
                        yield finding
        forget_all_pending(data)


def _mends(cure: Cure, archive: Archive) -> bool:
    try:
        cure(archive)
    except (OSError, sqlite3.DatabaseError) as error:
        # As with a symbolic link or a damaged page: the finding stays, and is told again.
        if not ends_run(error):
            return False
        raise explain(error, archive.data) from None
    return True


def _findings(path: Path, since: float | None) -> Iterator[Finding]:
    """`since`: what a running crawl wrote after that moment (seconds since the epoch) is passed over."""
    looks: tuple[Callable[[Archive], Iterator[Finding]], ...] = (
        _database,
        _references,
        broken,
        partial(_articles, since=since),
        partial(strangers, of=ARTICLES, since=since),
        partial(_raw_pages, since=since),
        image_check.damaged,
        partial(strangers, of=COPIES, since=since),
        _search,
    )
    with closing(read(path)) as db:
        for look in looks:
            try:
                yield from look(Archive(path.parent, db))
            except sqlite3.DatabaseError as error:
                if is_full(error):  # the catalog is only read: its copy or SQLite's own files found no room
                    raise explain(error, Path(gettempdir())) from None
                if is_locked(error):
                    raise explain(error, path) from None
                yield Finding(where=path.name, what=f"can't be read whole: {error}", mend=REBUILD)


def _database(archive: Archive) -> Iterator[Finding]:
    """The pages of the database, and its indexes against its tables."""
    for (said,) in archive.db.execute("PRAGMA integrity_check"):
        if said != "ok":
            of_an_index = "index" in said
            yield Finding(
                where="archive.db",
                what=said,
                mend="--repair makes the indexes anew" if of_an_index else REBUILD,
                cure=rebuild_indexes if of_an_index else None,
            )


def _references(archive: Archive) -> Iterator[Finding]:
    for table, row, parent, _ in archive.db.execute("PRAGMA foreign_key_check"):
        of_a_host = parent == "hosts"
        yield Finding(
            where=f"{table} {row or ''}".strip(),
            what=f"leads to a row of {parent} that is not there",
            mend="--repair adds it" if of_a_host else "nothing else in the archive says what it was",
            cure=add_hosts if of_a_host else None,
        )


def _search(archive: Archive) -> Iterator[Finding]:
    """The search index against the articles: on a copy, as only a writer may ask for it."""
    with TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "copy.db")) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # nobody needs it after a power cut
        archive.db.conn.backup(copy)
        try:
            copy.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            if ends_run(error):
                raise
            yield Finding(
                where="articles_fts",
                what=f"the search index is not that of the articles: {error}",
                mend="--repair makes it anew",
                cure=rebuild_search,
            )


def _articles(archive: Archive, since: float | None) -> Iterator[Finding]:
    """Every article's rows against its file."""
    without_hash = 0
    for page, file_hash in archive.db.execute("SELECT id, file_hash FROM articles ORDER BY path"):
        without_hash += file_hash is None
        yield from judge(archive, page, since)
    if without_hash:
        yield Finding(
            where="articles",
            what=f"{without_hash:,} without a hash of their files, as an older alsoread stored them",
            mend="--repair fills it in where row and file agree",
            cure=fill_hashes,
        )


def _raw_pages(archive: Archive, since: float | None) -> Iterator[Finding]:
    """The raw pages that wait to be looked at: each is that of an archived article, which was not read well since."""
    folder = archive.data / LOOK
    for path in sorted(folder.rglob("*")):
        known = path.relative_to(folder)
        if odd := odd_entry(path):
            yield Finding(where=f"{LOOK}/{known.as_posix()}", what=odd, mend=PUT_FILE)
        if odd or path.is_dir() or (since and path.lstat().st_mtime > since):
            continue
        query = "SELECT state FROM articles JOIN pages USING (id) WHERE path = ? COLLATE BINARY"
        row = archive.db.execute(query, [known.with_suffix(".md").as_posix()]).fetchone()
        if path.parent.name == HALF_WRITTEN:
            what = "half written by a crawl that was killed"
        elif row is None or path.suffix != ".html":
            what = "no raw page of an article"
        elif row[0] == "stored":
            what = "the raw page of an article that was read well since"
        else:
            continue
        yield Finding(where=f"{LOOK}/{known.as_posix()}", what=what, mend="nobody needs it: take it away")
