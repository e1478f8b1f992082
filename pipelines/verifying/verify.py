"""Verify an archive: its catalog in itself, and every file against its row.

Verifying changes nothing. A repair takes from the archive what it still holds the truth of.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from time import time

from pipelines.analysis.update import update_analyses
from pipelines.archive.connection import open_current
from pipelines.archive.counts import recount, wrong_tables
from pipelines.archive.lock import is_locked, open_locked
from pipelines.archive.pending import forget_all_pending
from pipelines.archive.storage_errors import ends_run, explain, is_full, is_lock_error
from pipelines.verifying import analysis_check, image_check
from pipelines.verifying.article_check import check_article
from pipelines.verifying.findings import NO_SOURCE, REBUILD, Archive, Finding, Repair
from pipelines.verifying.originals_check import check_originals
from pipelines.verifying.repair import add_hosts, fill_hashes, rebuild_indexes, rebuild_search
from pipelines.verifying.row_rules import check_rows
from pipelines.verifying.unlisted import ARTICLES, COPIES, check_unlisted

_SETTLING_SECONDS = 60.0
"""What a running crawl wrote within this time is skipped: its row may not be committed yet."""


def verify(data: Path) -> Iterator[Finding]:
    """Find what is wrong with the archive in a folder. Raises AlsoreadError if its catalog can't be read at all."""
    path = data / "archive.db"
    yield from _check(path, time() - _SETTLING_SECONDS if is_locked(path) else None)


def repair(data: Path) -> Iterator[Finding]:
    """Repair the archive in a folder; yields each finding that was repaired. Raises AlsoreadError.

    Verifies until nothing new is found, as a repair may bring another finding to light.
    """
    path = data / "archive.db"
    with open_locked(path) as db:
        archive = Archive(data, db)
        tried: set[tuple[str, str]] = set()
        more = True
        while more:
            more = False
            for finding in _check(path, None):
                key = (finding.where, finding.what)
                if finding.repair is None or key in tried:
                    continue
                tried.add(key)
                more = True
                if _succeeds(finding.repair, archive):
                    yield finding
        forget_all_pending(data)
        if tried:
            update_analyses(db)


def _succeeds(repair: Repair, archive: Archive) -> bool:
    try:
        repair(archive)
    except (OSError, sqlite3.DatabaseError) as error:
        # A symbolic link or a damaged page, for instance: verifying reports the finding again.
        if not ends_run(error):
            return False
        raise explain(error, archive.data) from None
    return True


def _check(path: Path, since: float | None) -> Iterator[Finding]:
    """Run all checks; files that were written after `since` (seconds since the epoch) are skipped."""
    checks: tuple[Callable[[Archive], Iterator[Finding]], ...] = (
        _check_database,
        _check_references,
        check_rows,
        _check_counts,
        analysis_check.check_analyses,
        partial(_check_articles, since=since),
        partial(check_unlisted, folder=ARTICLES, since=since),
        image_check.check_copies,
        partial(check_unlisted, folder=COPIES, since=since),
        partial(check_originals, since=since),
        _check_search,
    )
    with closing(open_current(path)) as db:
        for check in checks:
            try:
                yield from check(Archive(path.parent, db))
            except sqlite3.DatabaseError as error:
                if is_full(error):  # the catalog is only read: its copy or SQLite's own files found no room
                    raise explain(error, Path(gettempdir())) from None
                if is_lock_error(error):
                    raise explain(error, path) from None
                yield Finding(where=path.name, what=f"can't be read completely: {error}", hint=REBUILD)


def _check_database(archive: Archive) -> Iterator[Finding]:
    """Check the pages of the database, and its indexes against its tables."""
    for (message,) in archive.db.execute("PRAGMA integrity_check"):
        if message == "ok":
            continue
        hint, repair = REBUILD, None
        if "index" in message:
            hint, repair = "--repair rebuilds the indexes", rebuild_indexes
        yield Finding(where="archive.db", what=message, hint=hint, repair=repair)


def _check_references(archive: Archive) -> Iterator[Finding]:
    for table, row, parent, _ in archive.db.execute("PRAGMA foreign_key_check"):
        if table in analysis_check.TABLES:
            continue  # the check of these tables reports them
        hint, repair = NO_SOURCE, None
        if parent == "hosts":
            hint, repair = "--repair adds it", add_hosts
        where = f"{table} {row or ''}".strip()
        what = f"refers to a missing row of {parent}"
        yield Finding(where=where, what=what, hint=hint, repair=repair)


def _check_counts(archive: Archive) -> Iterator[Finding]:
    """Check the tables of counts against the rows that they count."""
    for table in wrong_tables(archive.db):
        repair = partial(_recount, table)
        yield Finding(
            where=table,
            what="its counts are not those of the rows",
            hint="--repair counts again",
            repair=repair,
        )


def _recount(table: str, archive: Archive) -> None:
    with archive.db.atomic():
        recount(archive.db, table)


def _check_search(archive: Archive) -> Iterator[Finding]:
    """Check the search index against the articles: on a copy, as only a writer may ask for it."""
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
                what=f"the search index does not match the articles: {error}",
                hint="--repair rebuilds it",
                repair=rebuild_search,
            )


def _check_articles(archive: Archive, since: float | None) -> Iterator[Finding]:
    """Check every article's rows against its file."""
    without_hash = 0
    for page, file_hash in archive.db.execute("SELECT id, file_hash FROM articles ORDER BY path"):
        if file_hash is None:
            without_hash += 1
        yield from check_article(archive, page, since)
    if without_hash:
        yield Finding(
            where="articles",
            what=f"{without_hash:,} have no hash of their files, as an older version stored them",
            hint="--repair adds it where row and file agree",
            repair=fill_hashes,
        )
