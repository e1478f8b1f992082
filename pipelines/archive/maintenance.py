"""Maintain an archive between crawls: keep it small and quick, and clear up after killed runs."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from crawler.text import counted
from pipelines.archive.catalog import end_killed
from pipelines.archive.connection import open_readonly
from pipelines.archive.lock import open_locked

_INTERVAL = timedelta(days=7)
_MIB = 2**20


def is_due(path: Path) -> bool:
    """Return whether the last maintenance began a week ago or more. Raises UsageError if there is no archive."""
    with closing(open_readonly(path)) as db:
        last = db.execute("SELECT max(started_at) FROM maintenance").fetchone()[0]
    return last is None or last <= iso(now() - _INTERVAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What maintenance did."""

    killed_runs: int
    """Runs that never ended, which are marked as killed now."""
    search_parts_before: int
    search_parts: int
    """Parts of the search index."""
    planned_tables: int
    """Tables whose sizes the query planner knows."""
    log_bytes: int = 0
    """Size of the write-ahead log before."""
    log_is_read: bool = False
    """Whether somebody still reads the catalog, so that its log had to stay."""

    def sentences(self) -> list[str]:
        """Return it in words, but for the log."""
        return [
            f"Runs: {counted(self.killed_runs, 'killed run is', 'killed runs are')} marked so.",
            f"Search index: {counted(self.search_parts_before, 'part')} merged into {self.search_parts}.",
            f"Query planner: knows how full {counted(self.planned_tables, 'table is', 'tables are')}.",
        ]

    def log_sentence(self) -> str:
        """Return what became of the write-ahead log, in words."""
        size = f"{self.log_bytes / _MIB:.1f} MiB"
        if self.log_is_read:
            return f"Write-ahead log: {size} stay until nobody reads the catalog."
        return f"Write-ahead log: {size} are in the catalog now."


def maintain(path: Path) -> Maintained:
    """Maintain a catalog and its folder, and record when.

    Raises LockedError while a crawl runs, and any other AlsoreadError of open_locked().
    """
    with open_locked(path) as db:
        started_at = iso(now())
        with db.atomic():
            killed_runs = end_killed(db, iso(now()))
        before = _search_parts(db)
        db.table("articles").optimize()
        done = Maintained(
            killed_runs=killed_runs,
            search_parts_before=before,
            search_parts=_search_parts(db),
            planned_tables=_analyze(db),
        )
        row = {"started_at": started_at, "ended_at": iso(now()), "done": json.dumps(done.sentences())}
        db.table("maintenance").insert(row)
        log_bytes, log_is_read = _checkpoint(db, path)
        return replace(done, log_bytes=log_bytes, log_is_read=log_is_read)


def _search_parts(db: Database) -> int:
    return int(db.execute("SELECT count(DISTINCT segid) FROM articles_fts_idx").fetchone()[0])


def _analyze(db: Database) -> int:
    db.execute("PRAGMA optimize")
    if not db.table("sqlite_stat1").exists():
        return 0  # all tables are small
    return int(db.execute("SELECT count(DISTINCT tbl) FROM sqlite_stat1").fetchone()[0])


def _checkpoint(db: Database, path: Path) -> tuple[int, bool]:
    """Return the log's size, and whether it had to stay. Last, as all before it writes."""
    size = path.with_name(f"{path.name}-wal").stat().st_size
    db.execute("PRAGMA busy_timeout = 2000")  # whoever still reads is not waited for: there is a next time
    return size, bool(db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
