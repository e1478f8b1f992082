"""The catalog, `archive.db`: the state of every page, and what was archived.

One crawl locks a catalog at a time. A writer process stores its visits, each in one transaction; other programs can
read meanwhile (WAL).
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from pipelines.archive import alarms, host_stats, pages, revisit
from pipelines.archive.alarms import Alarm
from pipelines.archive.lock import lock_and_open
from pipelines.archive.originals import NOTHING, Originals, OriginalsPolicy
from pipelines.archive.pending import clear_up
from pipelines.archive.store import Item, Store
from pipelines.archive.warc_index import close_files
from pipelines.archive.writer import Writer

COUNTS = ("pages", "new", "changed", "unchanged", "not_modified", "not_article", "gone", "refused", "failed")
"""Columns of a crawl's row that count pages; `pages` is the sum of the others."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def end_killed(db: Database, moment: str) -> int:
    """Mark runs that never ended as killed, once the archive is locked. Return how many."""
    query = "UPDATE crawls SET outcome = 'killed', ended_at = ? WHERE ended_at IS NULL"
    return db.execute(query, [moment]).rowcount


def last_crawl(db: Database) -> int:
    """Return the number of the last run; 0 if there was none."""
    number: int = db.execute("SELECT coalesce(max(id), 0) FROM crawls").fetchone()[0]
    return number


def recrawl_began(db: Database) -> str | None:
    """Return when the first of the unfinished crawls began that recrawl all pages; None if there is none."""
    query = """SELECT min(started_at) FROM crawls
               WHERE id > (SELECT coalesce(max(id), 0) FROM crawls WHERE outcome = 'finished')
                 AND options ->> 'ALSOREAD_RECRAWL' = 'all'"""
    began: str | None = db.execute(query).fetchone()[0]
    return began


class Catalog(Store):
    """An archive's catalog, locked by this process for one crawl."""

    def __init__(
        self,
        path: Path,
        *,
        scope: Sequence[str],
        retry_delays: Sequence[float],
        host_failures: int | None = None,
        originals: OriginalsPolicy = NOTHING,
    ) -> None:
        """Open or create the catalog. Raises AlsoreadError."""
        self.path = path
        self.counts = dict.fromkeys(COUNTS, 0)
        self._lock, db = lock_and_open(path)
        super().__init__(
            db, path.parent, scope=scope, retry_delays=retry_delays, host_failures=host_failures, crawl=0
        )
        self._policy = originals
        self._writer: Writer[Item] | None = None

    def begin_crawl(
        self, seeds: Sequence[str] = (), options: Mapping[str, Any] = _NOTHING, reason: str | None = None
    ) -> None:
        """Insert the crawl's row. `reason`: why it begins, if not because of how the last one ended."""
        started_at = iso(now())
        row = {
            "reason": reason or _reason(self.db),
            "started_at": started_at,
            "pid": os.getpid(),
            "version": version("alsoread"),
            "seeds": json.dumps(list(seeds), ensure_ascii=False),
            "options": json.dumps(dict(options), ensure_ascii=False),
        }
        with self.db.atomic():
            end_killed(self.db, started_at)
            self.crawl = self.db.execute(
                """INSERT INTO crawls (reason, started_at, pid, version, seeds, options)
                   VALUES (:reason, :started_at, :pid, :version, :seeds, :options) RETURNING id""",
                row,
            ).fetchone()[0]
        self.originals = Originals(self.data, self.crawl, self._policy)

    def resume_crawl(self) -> bool:
        """Go on with the last crawl if its process ended before it did. Return whether there is one."""
        sums = ", ".join(COUNTS)
        row = pages.first(
            self.db, f"SELECT id, {sums} FROM crawls WHERE ended_at IS NULL ORDER BY id DESC LIMIT 1"
        )
        if row is None:
            return False
        self.crawl = row.pop("id")
        self.counts.update(row)
        self.originals = Originals(self.data, self.crawl, self._policy)
        return True

    def add(self, item: Item) -> str:
        """Store an item at once, and return its kind of result. Raises any error."""
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
                pages.recrawl(self.db, hosts, recrawl_began(self.db) or iso(now()), iso(now()))

    def reached_hosts(self) -> set[str]:
        """Return the hosts of archived articles, and those that the resumed runs reached."""
        query = """SELECT host FROM host_counts WHERE articles > 0
                   UNION SELECT host FROM host_runs WHERE visits > failed AND crawl < :crawl AND crawl > (
                     SELECT coalesce(max(id), 0) FROM crawls WHERE outcome = 'finished' AND id < :crawl)"""
        return {host for (host,) in self.db.execute(query, {"crawl": self.crawl})}

    def hosts_with_fresh_sitemaps(self) -> set[str]:
        """Return the hosts whose sitemaps were read recently."""
        query = """SELECT host FROM hosts JOIN crawls ON crawls.id = sitemaps_crawl
                   WHERE outcome = 'finished' AND ended_at > ?"""
        return {host for (host,) in self.db.execute(query, [iso(now() - revisit.SITEMAPS)])}

    def start_writer(self) -> Writer[Item]:
        """Start the writer process now, so that the first item does not wait for it."""
        if self._writer is None:
            open_store = partial(
                Store,
                scope=self.scope,
                retry_delays=self.retry_delays,
                host_failures=self.host_failures,
                crawl=self.crawl,
                originals=self._policy,
            )
            self._writer = Writer(self.path, open_store)
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

    def stop_writer(self) -> list[Exception]:
        """Commit items that are left, and stop the writer process. Return errors."""
        return self._writer.close() if self._writer else []

    def end_crawl(
        self,
        outcome: str,
        requests: Mapping[str, int] = _NOTHING,
        received: int = 0,
        raised: Iterable[Alarm] = (),
        judged: Iterable[str] = (),
    ) -> None:
        """Write the end of the crawl's row and its alarms, and tidy up. Raises sqlite3.Error.

        `requests`: how many of pages, sitemaps, robots; `received`: bytes; `judged`: hosts.
        """
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
            alarms.insert(self.db, self.crawl, raised, iso(now()))
            host_stats.mark_judged(self.db, judged)
        self.db.execute("PRAGMA optimize")
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Settle what a writer that died left, close the files and the catalog, and unlock the archive."""
        self.originals.close()
        with suppress(OSError, sqlite3.Error):  # the next command that writes does it
            clear_up(self.db, self.data)
            close_files(self.db, self.data)
        self.db.close()
        self._lock.release()


def _reason(db: Database) -> str:
    """Return why a crawl begins."""
    query = "SELECT id, outcome FROM crawls WHERE outcome IS NOT 'imported' ORDER BY id DESC LIMIT 1"
    last = next(db.query(query), None)
    if last is None:
        return "first"
    if last["outcome"] == "finished":
        return "revisit"
    return f"goes on after crawl {last['id']} ({last['outcome'] or 'killed'})"
