"""Maintain an archive between crawls: keep it small and quick, and clear up after killed runs."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from crawler.text import counted
from pipelines.archive.catalog import end_killed
from pipelines.archive.connection import open_locked, open_readonly

_INTERVAL = timedelta(days=7)
_MIB = 2**20


def is_due(path: Path) -> bool:
    """Return whether the last maintenance began a week ago or more. Raises UsageError if there is no archive."""
    with closing(open_readonly(path)) as db:
        last = db.execute("SELECT max(started_at) FROM maintenance").fetchone()[0]
    return last is None or last <= iso(now() - _INTERVAL)


def maintain(path: Path) -> list[str]:
    """Maintain a catalog and its folder, and record when. Return what was done, in sentences.

    Raises LockedError while a crawl runs, and any other AlsoreadError of open_locked().
    """
    with open_locked(path) as db:
        started_at = iso(now())
        done = [_runs(db), _search(db), _statistics(db)]
        row = {"started_at": started_at, "ended_at": iso(now()), "done": json.dumps(done)}
        db.table("maintenance").insert(row)
        return [*done, _log(db, path)]


def _runs(db: Database) -> str:
    with db.atomic():
        killed = end_killed(db, iso(now()))
    return f"Runs: {counted(killed, 'killed run is', 'killed runs are')} marked so."


def _search(db: Database) -> str:
    parts = "SELECT count(DISTINCT segid) FROM articles_fts_idx"
    before = db.execute(parts).fetchone()[0]
    db.table("articles").optimize()
    return f"Search index: {counted(before, 'part')} merged into {db.execute(parts).fetchone()[0]}."


def _statistics(db: Database) -> str:
    db.execute("PRAGMA optimize")
    tables = db.execute("SELECT count(DISTINCT tbl) FROM sqlite_stat1").fetchone()[0]
    return f"Query planner: knows how full {counted(tables, 'table is', 'tables are')}."


def _log(db: Database, path: Path) -> str:
    """Last, as all before it writes."""
    wal = path.with_name(f"{path.name}-wal")
    size = wal.stat().st_size / _MIB
    db.execute("PRAGMA busy_timeout = 2000")  # whoever still reads is not waited for: there is a next time
    busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        return f"Write-ahead log: {size:.1f} MiB stay until nobody reads the catalog."
    return f"Write-ahead log: {size:.1f} MiB are in the catalog now."
