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
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from filelock import FileLock, Timeout
from sqlite_utils import Database

from crawler.items import Found, Visit, iso
from pipelines import articles, pages, revisit
from pipelines.errors import ArchiveError
from pipelines.migrations import MIGRATIONS
from pipelines.writer import Writer

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
        self._writer = Writer(self.db)
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
                "UPDATE crawls SET outcome = 'killed', ended_at = ? WHERE ended_at IS NULL",
                [iso(self._stamp())],
            )
            row = {
                "started_at": iso(self._stamp()),
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
        """The time, which does not go back within a crawl."""
        return max(self._last, datetime.now(UTC))

    def _stamp(self) -> datetime:
        """A time of its own for each transaction: what is found later stands behind what was found before."""
        self._last = max(self._last + timedelta(milliseconds=1), datetime.now(UTC))
        return self._last

    def write(self, work: Callable[..., _T], *args: Any) -> Future[_T]:
        """Runs one of this catalog's writing methods on its thread: `found`, `seed` or `settle`."""
        return self._writer.submit(work, *args)

    def close(self, outcome: str, requests: int, received: int) -> None:
        """Ends the crawl, tidies up and lets go of the archive."""
        self._writer.close()
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
        now = iso(self._stamp())
        with self.db.atomic():
            self._add([url for url, _ in found.pages], depth=found.depth, now=now)
            pages.expect_changes(self.db, found.pages, now)

    def seed(self, url: str) -> None:
        """Makes a page known that was asked for by name, and due where it failed before."""
        now = iso(self._stamp())
        with self.db.atomic():
            self._add([url], depth=0, now=now)
            self.db.execute(
                "UPDATE pages SET due_at = min(due_at, ?) WHERE url = ? AND state = 'failed'", [now, url]
            )

    def settle(self, visit: Visit) -> str:
        """Stores what a visit came to, and what it found. Returns which of COUNTS it was."""
        now = self._stamp()
        with self.db.atomic():
            page = self._page(visit.url, 0, iso(now))
            visit = _guarded(visit, page)
            kind = self._store(visit, page, iso(now)) if visit.state == "stored" else visit.state
            self._settle_page(visit, page, kind, now)
            if visit.moved_to:
                pages.lead_on(self.db, page["id"], self._page(visit.moved_to, page["depth"], iso(now))["id"])
            if visit.retry_after:
                until = iso(now + timedelta(seconds=visit.retry_after))
                self.db.execute("UPDATE hosts SET not_before = ? WHERE host = ?", [until, page["host"]])
            count = f"UPDATE crawls SET pages = pages + 1, {kind} = {kind} + 1 WHERE id = ?"  # noqa: S608
            self.db.execute(count, [self.crawl])
        self.counts[kind] += 1
        self.counts["pages"] += 1
        return kind

    def _add(
        self, urls: Sequence[str], *, depth: int, now: str, found_on: int | None = None
    ) -> dict[str, int]:
        return pages.add(self.db, urls, scope=self.scope, depth=depth, now=now, found_on=found_on)

    def _page(self, url: str, depth: int, now: str) -> dict[str, Any]:
        """A page's row; it is made known where it was not."""
        page = pages.find(self.db, url)
        if page is None:
            self._add([url], depth=depth, now=now)
            page = pages.find(self.db, url)
            assert page is not None  # noqa: S101
        return page

    def _store(self, visit: Visit, page: dict[str, Any], now: str) -> str:
        if visit.article is None:
            return "not_modified"
        links = visit.article.also_read
        kind = articles.store(self.db, page["id"], visit.article, self.crawl, now)
        targets = self._add(
            [link.url for link in links], depth=page["depth"] + 1, now=now, found_on=page["id"]
        )
        articles.store_links(self.db, page["id"], [(targets[link.url], link.text) for link in links], now)
        return kind

    def _settle_page(self, visit: Visit, page: dict[str, Any], kind: str, now: datetime) -> None:
        attempts = page["attempts"] + 1 if visit.state == "failed" else 0
        if attempts:
            asked = timedelta(seconds=visit.retry_after or 0)
            wait = max(revisit.next_try(attempts, self.retry_delays), asked)
        else:
            wait = revisit.next_visit(_interval(page), changed=kind == "changed")
        self.db.execute(
            """UPDATE pages SET state = :state, status = :status, error = :reason, attempts = :attempts,
                 due_at = :due_at, moved_to = NULL,
                 fetched_at = CASE :attempts WHEN 0 THEN :now ELSE fetched_at END,
                 etag = CASE WHEN :read THEN :etag ELSE etag END,
                 last_modified = CASE WHEN :read THEN :last_modified ELSE last_modified END
               WHERE id = :id""",
            {
                "id": page["id"],
                "state": visit.state,
                "status": visit.status,
                "reason": visit.reason,
                "attempts": attempts,
                "due_at": iso(now + wait),
                "now": iso(now),
                "read": visit.article is not None,
                "etag": visit.etag,
                "last_modified": visit.last_modified,
            },
        )


def _guarded(visit: Visit, page: dict[str, Any]) -> Visit:
    """No doubtful fetch takes the place of a good one."""
    if visit.state == "not_article" and not visit.moved_to and page["archived"]:
        reason = "no longer reads as an article; the archived copy is kept"
        return Visit(url=visit.url, state="failed", status=visit.status, reason=reason)
    return visit


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
            await asyncio.wrap_future(self.catalog.write(self.catalog.settle, item))
        elif isinstance(item, Found):
            await asyncio.wrap_future(self.catalog.write(self.catalog.found, item))
        return item
