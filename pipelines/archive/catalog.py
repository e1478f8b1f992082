"""The catalog, `archive.db`: the state of every page, and what was archived.

One crawl holds a catalog at a time. Its visits are written by a process of their own, each whole or not at all;
other programs read meanwhile (WAL).
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlite_utils import Database

from crawler.clock import now
from crawler.errors import AlsoreadError, CatalogError, LockedError, UsageError
from crawler.items import iso
from pipelines.archive import alarms, pages, revisit
from pipelines.archive.alarms import Alarm
from pipelines.archive.pending import clear_up
from pipelines.archive.schema import MIGRATIONS
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.archive.store import Committing, Store, connect
from pipelines.archive.writer import Item, Writer

COUNTS = ("pages", "new", "changed", "unchanged", "not_modified", "not_article", "gone", "refused", "failed")
"""What a crawl's row counts; `pages` is the sum of the others."""


def open_readonly(path: Path) -> Database:
    """Open the catalog read-only. Raises AlsoreadError if there is none, or if it can't be read."""
    if not path.is_file():
        raise UsageError(f"There is no archive at {path} yet: `alsoread crawl` makes one.")
    try:
        db = _checked(
            Database(sqlite3.connect(f"{path.absolute().as_uri()}?{_reading(path)}", uri=True)), path
        )
    except sqlite3.Error as error:
        if ends_run(error):
            raise explain(error, path) from None
        raise CatalogError(
            f"{path} can't be read as a catalog: {error}. Move it away: `alsoread rebuild` makes a new one.",
        ) from None
    if MIGRATIONS.pending(db):
        db.close()
        raise CatalogError(
            f"{path} is no catalog, or of an older alsoread: `alsoread crawl` brings it up to date."
        )
    return db


def _reading(path: Path) -> str:
    """Return SQLite's parameters for reading: on a read-only disk it can't make the files beside the catalog."""
    alone = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return "mode=ro&immutable=1" if alone else "mode=ro"


def _checked(db: Database, path: Path) -> Database:
    """Return the database if it is a catalog of a known version; close it if not."""
    try:
        with closing(Database(memory=True)) as empty:
            known = {migration.name for migration in MIGRATIONS.pending(empty)}
        unknown = [step.name for step in MIGRATIONS.applied(db) if step.name not in known]
        if unknown:
            raise CatalogError(
                f"{path} was written by a newer alsoread ({unknown[-1]}): update alsoread, or use another --data.",
            )
    except BaseException:
        db.close()
        raise
    return db


def _begin(db: Database, seeds: Sequence[str], options: Mapping[str, Any]) -> int:
    started_at = iso(now())
    row = {
        "reason": _reason(db),
        "started_at": started_at,
        "pid": os.getpid(),
        "version": version("alsoread"),
        "seeds": json.dumps(list(seeds), ensure_ascii=False),
        "options": json.dumps(dict(options), ensure_ascii=False),
    }
    with db.atomic():
        end_killed(db, started_at)
        crawl: int = db.execute(
            """INSERT INTO crawls (reason, started_at, pid, version, seeds, options)
               VALUES (:reason, :started_at, :pid, :version, :seeds, :options) RETURNING id""",
            row,
        ).fetchone()[0]
    return crawl


def end_killed(db: Database, moment: str) -> int:
    """Mark runs that never ended as killed, once the archive is locked. Return how many."""
    query = "UPDATE crawls SET outcome = 'killed', ended_at = ? WHERE ended_at IS NULL"
    return db.execute(query, [moment]).rowcount


def _reason(db: Database) -> str:
    """Return why a crawl begins."""
    query = "SELECT id, outcome FROM crawls WHERE outcome IS NOT 'imported' ORDER BY id DESC LIMIT 1"
    last = next(db.query(query), None)
    if last is None:
        return "first"
    if last["outcome"] == "finished":
        return "revisit"
    return f"goes on after crawl {last['id']} ({last['outcome'] or 'killed'})"


def _migrated(path: Path) -> Database:
    db = _checked(connect(path), path)
    db.enable_wal()
    MIGRATIONS.apply(db)
    return db


def _open_locked(path: Path) -> tuple[FileLock, Database]:
    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        db = _migrated(path)
        clear_up(db, path.parent)
        return lock, db
    except Timeout:
        raise LockedError(lock_owner(path)) from None
    except (OSError, sqlite3.Error) as error:
        lock.release()
        raise explain(error, path) from None
    except AlsoreadError:
        lock.release()
        raise


@contextmanager
def open_locked(path: Path) -> Iterator[Database]:
    """Open and lock the catalog for writing. Raises AlsoreadError, also if there is none."""
    open_readonly(path).close()
    lock, db = _open_locked(path)
    try:
        yield db
    finally:
        db.close()
        lock.release()


class Catalog(Store):
    """An archive's catalog, locked by this process for one crawl."""

    def __init__(
        self,
        path: Path,
        *,
        scope: Sequence[str],
        retry_delays: Sequence[float],
        host_failures: int | None = None,
        seeds: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Open or create the catalog and begin a crawl. Raises AlsoreadError."""
        self.path = path
        self.counts = dict.fromkeys(COUNTS, 0)
        self._lock, db = _open_locked(path)
        try:
            crawl = _begin(db, seeds, options or {})
        except sqlite3.Error as error:
            db.close()
            self._lock.release()
            raise explain(error, path) from None
        settings: dict[str, Any] = {
            "scope": scope,
            "retry_delays": retry_delays,
            "host_failures": host_failures,
            "crawl": crawl,
        }
        super().__init__(db, path.parent / "articles", **settings)
        self._committing = Committing(path, settings)
        self._writer: Writer | None = None

    def add(self, item: Item) -> str:
        """Store an item at once, and return its kind of result. Raises what prevented it."""
        (result,) = self.commit([item])
        if isinstance(result, Exception):
            raise result
        return result

    def make_due(self, wanted: Callable[[str], bool], *, failed: bool, everything: bool) -> None:
        """Make pages of the wanted hosts due before their time: those that `failed`, or `everything`."""
        hosts = [host for (host,) in self.db.execute("SELECT host FROM hosts").fetchall() if wanted(host)]
        with self.db.atomic():
            if failed:
                pages.retry_failed(self.db, hosts, iso(now()))
            if everything:
                pages.recrawl(self.db, hosts, self._recrawl_began(), iso(now()))

    def _recrawl_began(self) -> str:
        """Return when this crawl began, or the first of the unfinished ones that it resumes."""
        query = """SELECT min(started_at) FROM crawls
                   WHERE id > (SELECT coalesce(max(id), 0) FROM crawls WHERE outcome = 'finished')
                     AND (options ->> 'ALSOREAD_RECRAWL' = 'all' OR id = ?)"""
        began: str = self.db.execute(query, [self.crawl]).fetchone()[0]
        return began

    def reached_hosts(self) -> set[str]:
        """Return the hosts of archived articles, and those that the resumed runs reached."""
        query = """SELECT host FROM pages JOIN articles USING (id)
                   UNION SELECT host FROM pages WHERE fetched_at >= (
                     SELECT min(started_at) FROM crawls WHERE id < :crawl AND id > (
                       SELECT coalesce(max(id), 0) FROM crawls WHERE outcome = 'finished' AND id < :crawl))"""
        return {host for (host,) in self.db.execute(query, {"crawl": self.crawl})}

    def hosts_with_fresh_sitemaps(self) -> set[str]:
        """Return the hosts whose sitemaps were read recently."""
        query = """SELECT host FROM hosts JOIN crawls ON crawls.id = sitemaps_crawl
                   WHERE outcome = 'finished' AND ended_at > ?"""
        return {host for (host,) in self.db.execute(query, [iso(now() - revisit.SITEMAPS)])}

    def start_writer(self) -> Writer:
        """Start the writer process, which takes a moment: else the first item waits for it."""
        self._writer = self._writer or Writer(self._committing)
        return self._writer

    def write(self, item: Item) -> asyncio.Future[str]:
        """Store an item by the writer process. The future has its result once it is committed."""
        stored = self.start_writer().write(item)
        stored.add_done_callback(self._count)
        return stored

    def _count(self, stored: asyncio.Future[str]) -> None:
        if not stored.cancelled() and not stored.exception() and (kind := stored.result()) in self.counts:
            self.counts[kind] += 1
            self.counts["pages"] += 1

    def close(
        self, outcome: str, requests: Mapping[str, int], received: int, told: Iterable[Alarm] = ()
    ) -> None:
        """End the crawl, tidy up and unlock the archive.

        `requests`: how many of pages, sitemaps, robots; `told`: alarms, asked for when all else is written.
        Raises OSError and sqlite3.Error where something could not be written; the archive is let go of all the same.
        """
        try:
            results = self.commit(self._writer.close()) if self._writer else []
            self._end(outcome, requests, received, told)
        finally:
            self.db.close()
            self._lock.release()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _end(self, outcome: str, requests: Mapping[str, int], received: int, told: Iterable[Alarm]) -> None:
        """Write the end of the crawl's row and its alarms, and tidy up."""
        with self.db.atomic():
            self.db.execute(
                """UPDATE crawls SET ended_at = :now, outcome = :outcome, bytes = :bytes, requests = :requests,
                     page_requests = :page, sitemap_requests = :sitemap, robots_requests = :robots
                   WHERE id = :crawl""",
                {
                    "now": iso(now()),
                    "outcome": outcome,
                    "bytes": received,
                    "requests": sum(requests.values()),
                    **{kind: requests.get(kind, 0) for kind in ("page", "sitemap", "robots")},
                    "crawl": self.crawl,
                },
            )
            alarms.insert(self.db, self.crawl, told, iso(now()))
        self.db.execute("PRAGMA optimize")
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def is_locked(path: Path) -> bool:
    """Return whether another program has locked the archive."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        if Path(lock.lock_file).is_file():  # else asking would make one
            lock.acquire(timeout=0)
            lock.release()
    except Timeout:
        return True
    except OSError:  # the folder is for reading only
        return False
    return False


def lock_owner(path: Path) -> str:
    """Return a sentence that names who has locked the archive."""
    try:
        with closing(open_readonly(path)) as db:
            row = next(db.query("SELECT id, pid, started_at FROM crawls WHERE ended_at IS NULL"), None)
    except AlsoreadError:
        row = None
    who = (
        "crawl {id} (process {pid}, since {started_at})".format(**row)
        if row
        else "another command that writes to it"
    )
    return f"{path.parent} is held by {who}: wait for it to end, or use another --data."
