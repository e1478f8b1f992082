"""The catalog, `archive.db`: what is known of every page, and what was archived. It is the state of the crawl.

One crawl holds a catalog at a time. Its writes happen on one thread, each visit in one transaction; other
programs read meanwhile (WAL).
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from filelock import FileLock, Timeout
from sqlite_utils import Database

from crawler.items import Article, Found, Visit, iso
from crawler.urls import host_and_slug, in_scope
from pipelines import articles, revisit
from pipelines.errors import ArchiveError
from pipelines.migrations import MIGRATIONS

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_T = TypeVar("_T")
_PATIENCE = 120.0
"""Seconds to wait while another program writes to the catalog."""

COUNTS = ("pages", "new", "changed", "unchanged", "not_modified", "not_article", "gone", "refused", "failed")
"""What a crawl's row counts; `pages` is the sum of the others."""


def read(path: Path) -> Database:
    """The catalog for reading only. Raises ArchiveError where there is none, or where it is not ours to read."""
    if not path.is_file():
        raise ArchiveError(f"There is no archive at {path} yet: `alsoread crawl` makes one.", 2)
    try:
        db = Database(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
        _check_version(db, path)
    except sqlite3.Error as error:
        raise ArchiveError(f"{path} can't be read as a catalog: {error}.", 7) from None
    return db


def _check_version(db: Database, path: Path) -> None:
    known = {migration.name for migration in MIGRATIONS.pending(Database(memory=True))}
    unknown = [step.name for step in MIGRATIONS.applied(db) if step.name not in known]
    if unknown:
        raise ArchiveError(
            f"{path} was written by a newer alsoread ({unknown[-1]}): update alsoread, or use another --data.",
            7,
        )


class Catalog:
    """An archive's catalog, held by this process: nobody else crawls into it meanwhile."""

    def __init__(
        self,
        path: Path,
        *,
        scope: Sequence[str],
        retry_delays: Sequence[float],
        seeds: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Opens or makes the catalog and begins a crawl. Raises ArchiveError."""
        self.path, self.scope, self.retry_delays = path, scope, retry_delays
        self.counts = dict.fromkeys(COUNTS, 0)
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = FileLock(path.with_suffix(".lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self.db = self._open(path)
        except Timeout:
            raise ArchiveError(_holder(path), 5) from None
        except OSError as error:
            raise ArchiveError(f"{path.parent} can't be written: {error.strerror}.", 6) from None
        except sqlite3.Error as error:
            self._lock.release()
            raise ArchiveError(f"{path} can't be used as a catalog: {error}.", 7) from None
        except ArchiveError:
            self._lock.release()
            raise
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="catalog")
        self.crawl = self._begin(seeds, options or {})

    @staticmethod
    def _open(path: Path) -> Database:
        db = Database(sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False))
        _check_version(db, path)
        db.enable_wal()
        # A power cut may undo the last transactions, never half of one: their pages are then due again.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        MIGRATIONS.apply(db)
        return db

    def _begin(self, seeds: Sequence[str], options: Mapping[str, Any]) -> int:
        with self.db.atomic():
            self.db.execute(
                "UPDATE crawls SET outcome = 'killed', ended_at = ? WHERE ended_at IS NULL", [iso(self.now())]
            )
            row = {
                "started_at": iso(self.now()),
                "pid": os.getpid(),
                "version": version("alsoread"),
                "seeds": json.dumps(list(seeds), ensure_ascii=False),
                "options": json.dumps(dict(options), ensure_ascii=False),
            }
            crawl: int = self.db.execute(
                """INSERT INTO crawls (started_at, pid, version, seeds, options)
                   VALUES (:started_at, :pid, :version, :seeds, :options) RETURNING id""",
                row,
            ).fetchone()[0]
            return crawl

    def now(self) -> datetime:
        """The time, which does not go back within a crawl: the queue's order rests on it."""
        self._last = max(self._last, datetime.now(UTC))
        return self._last

    async def write(self, work: Callable[..., _T], *args: Any) -> _T:
        """Runs one of this catalog's writing methods on its thread, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def write_now(self, work: Callable[..., _T], *args: Any) -> _T:
        """The same for callers that can't await: waits for it."""
        return self._thread.submit(work, *args).result()

    def close(self, outcome: str, requests: int, received: int) -> None:
        """Ends the crawl, tidies up and lets go of the archive."""
        self._thread.shutdown()
        with self.db.atomic():
            self.db.execute(
                "UPDATE crawls SET ended_at = ?, outcome = ?, requests = ?, bytes = ? WHERE id = ?",
                [iso(self.now()), outcome, requests, received, self.crawl],
            )
        self.db.execute("PRAGMA optimize")
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()
        self._lock.release()

    def found(self, found: Found) -> None:
        """Makes the pages due that are new, or that changed since they were stored as the sitemap has it."""
        now = iso(self.now())
        with self.db.atomic():
            self._add_pages([url for url, _ in found.pages], found.depth, None, now)
            self.db.conn.executemany(
                """UPDATE pages SET lastmod = :lastmod, due_at = CASE
                     WHEN state <> 'due' AND :lastmod > coalesce(
                       (SELECT updated FROM articles WHERE articles.id = pages.id), fetched_at, '')
                     THEN :now ELSE due_at END
                   WHERE url = :url AND state <> 'refused' AND lastmod IS NOT :lastmod""",
                [{"url": url, "lastmod": iso(at), "now": now} for url, at in found.pages if at],
            )

    def seed(self, url: str) -> None:
        """Makes a page known that was asked for by name, and due where it failed before."""
        with self.db.atomic():
            self._add_pages([url], 0, None, iso(self.now()))
            self.db.execute(
                "UPDATE pages SET due_at = ?, attempts = 0 WHERE url = ? AND state = 'failed'",
                [iso(self.now()), url],
            )

    def settle(self, visit: Visit) -> str:
        """Stores what a visit came to, and what it found. Returns which of COUNTS it was."""
        now = self.now()
        with self.db.atomic():
            self.db.execute("UPDATE crawls SET pages = pages + 1 WHERE id = ?", [self.crawl])
            page = self._page(visit.url)
            visit = self._guard(visit, page)
            kind = self._store(visit, page, now) if visit.state == "stored" else visit.state
            self._settle_page(visit, page, kind, now)
            self._settle_host(visit, page["host"], now)
            self.db.execute(f"UPDATE crawls SET {kind} = {kind} + 1 WHERE id = ?", [self.crawl])  # noqa: S608
        self.counts[kind] += 1
        self.counts["pages"] += 1
        return kind

    def _page(self, url: str) -> dict[str, Any]:
        query = """SELECT pages.*, articles.id IS NOT NULL AS archived
                   FROM pages LEFT JOIN articles USING (id) WHERE pages.url = ?"""
        known = next(self.db.query(query, [url]), None)
        if known is None:
            self._add_pages([url], 0, None, iso(self.now()))
            known = next(self.db.query(query, [url]))
        return known

    def _guard(self, visit: Visit, page: dict[str, Any]) -> Visit:
        """No doubtful fetch takes the place of a good one, and a circle of redirects leads nowhere."""
        reason = None
        if visit.moved_to and self._leads_back(page["id"], visit.moved_to):
            reason = f"redirects in a circle, by way of {visit.moved_to}"
        elif visit.state == "not_article" and not visit.moved_to and page["archived"]:
            reason = "no longer reads as an article; the archived copy is kept"
        return Visit(url=visit.url, state="failed", status=visit.status, reason=reason) if reason else visit

    def _leads_back(self, page: int, target: str) -> bool:
        chain = """
            WITH RECURSIVE hop(id) AS (
              SELECT id FROM pages WHERE url = ?
              UNION SELECT pages.moved_to FROM hop JOIN pages USING (id) WHERE pages.moved_to IS NOT NULL)
            SELECT 1 FROM hop WHERE id = ?"""
        return self.db.execute(chain, [target, page]).fetchone() is not None

    def _store(self, visit: Visit, page: dict[str, Any], now: datetime) -> str:
        if visit.article is None:
            return "not_modified"
        kind = articles.store(self.db, page["id"], visit.article, self.crawl, iso(now))
        self._add_links(visit.article, page, iso(now))
        return kind

    def _add_links(self, article: Article, page: dict[str, Any], now: str) -> None:
        self._add_pages([link.url for link in article.also_read], page["depth"] + 1, page["id"], now)
        articles.store_links(self.db, page["id"], article.also_read, now)

    def _settle_page(self, visit: Visit, page: dict[str, Any], kind: str, now: datetime) -> None:
        moved_to = None
        if visit.moved_to:
            self._add_pages([visit.moved_to], page["depth"], page["id"], iso(now))
            moved_to = self._page(visit.moved_to)["id"]
        attempts = page["attempts"] + 1 if visit.state == "failed" else 0
        if attempts:
            wait = max(
                revisit.next_try(attempts, self.retry_delays), timedelta(seconds=visit.retry_after or 0)
            )
        else:
            wait = revisit.next_visit(_interval(page), changed=kind == "changed")
        changes = {
            "state": visit.state,
            "status": visit.status,
            "error": visit.reason,
            "attempts": attempts,
            "due_at": iso(now + wait),
            "fetched_at": page["fetched_at"] if attempts else iso(now),
            "moved_to": moved_to,
        }
        if visit.article:
            changes |= {"etag": visit.etag, "last_modified": visit.last_modified}
        self.db.table("pages").update(page["id"], changes)

    def _settle_host(self, visit: Visit, host: str, now: datetime) -> None:
        if visit.retry_after:
            until = iso(now + timedelta(seconds=visit.retry_after))
            self.db.execute("UPDATE hosts SET not_before = ? WHERE host = ?", [until, host])

    def _add_pages(self, urls: Sequence[str], depth: int, found_on: int | None, now: str) -> None:
        """Adds the pages that are not known yet; brings those nearer that were thought to be farther off."""
        hosts = {host_and_slug(url)[0] for url in urls}
        self.db.conn.executemany("INSERT OR IGNORE INTO hosts (host) VALUES (?)", [[host] for host in hosts])
        rows = [
            (url, host_and_slug(url)[0], "due", depth, found_on, now, now, None)
            if in_scope(url, self.scope)
            else (url, host_and_slug(url)[0], "refused", depth, found_on, now, None, "scope: another site")
            for url in urls
        ]
        self.db.conn.executemany(
            """INSERT INTO pages (url, host, state, depth, found_on, found_at, due_at, error)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (url) DO NOTHING""",
            rows,
        )
        farther = self.db.execute(
            "SELECT id FROM pages WHERE url IN (SELECT value FROM json_each(?)) AND depth > ?",
            [json.dumps(urls), depth],
        ).fetchall()
        if farther:
            self._bring_nearer([page for (page,) in farther], depth, now)

    def _bring_nearer(self, pages: Sequence[int], depth: int, now: str) -> None:
        """A shorter way to a page is a shorter way to all that it leads to."""
        self.db.execute(
            """WITH RECURSIVE
                 step(source, target, length) AS (
                   SELECT source, target, 1 FROM also_read
                   UNION ALL SELECT id, moved_to, 0 FROM pages WHERE moved_to IS NOT NULL),
                 nearer(id, depth) AS (
                   SELECT value, :depth FROM json_each(:pages)
                   UNION SELECT step.target, nearer.depth + step.length
                   FROM nearer JOIN step ON step.source = nearer.id JOIN pages ON pages.id = step.target
                   WHERE pages.depth > nearer.depth + step.length)
               UPDATE pages SET
                 depth = (SELECT min(depth) FROM nearer WHERE nearer.id = pages.id),
                 due_at = CASE state WHEN 'due' THEN :now ELSE due_at END
               WHERE id IN (SELECT id FROM nearer)""",
            {"pages": json.dumps(pages), "depth": depth, "now": now},
        )


def _interval(page: dict[str, Any]) -> timedelta | None:
    """How long the page was left alone before this visit."""
    if page["fetched_at"] is None or page["state"] == "failed":
        return None
    return datetime.fromisoformat(page["due_at"]) - datetime.fromisoformat(page["fetched_at"])


def _holder(path: Path) -> str:
    """Who holds the archive, in a sentence."""
    try:
        row = next(read(path).query("SELECT id, pid, started_at FROM crawls WHERE ended_at IS NULL"), None)
    except ArchiveError:
        row = None
    who = (
        "crawl {id} (process {pid}, since {started_at})".format(**row)
        if row
        else "another crawl that is starting"
    )
    return f"{path.parent} is held by {who}: wait for it to end, or use another --data."


class StoreInCatalog:
    """Pipeline: settles every visit's page, with its article and links, in one transaction."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make one."""
        return cls(crawler)

    def open_spider(self) -> None:
        """The scheduler opened the catalog: it is the queue as well."""
        self.catalog: Catalog = self.crawler.engine.scheduler.catalog  # type: ignore[union-attr]

    async def process_item(self, item: Any) -> Any:
        """Stored when it returns."""
        if isinstance(item, Visit):
            await self.catalog.write(self.catalog.settle, item)
        elif isinstance(item, Found):
            await self.catalog.write(self.catalog.found, item)
        return item
