"""Store visits in the archive: the article's file, then all its rows in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from crawler import clock
from crawler.items import Exchange, FoundPages, Visit, iso
from pipelines.archive import articles, host_stats, pages, quarantine, records, regressions, revisit
from pipelines.archive.article_file import path_of, render
from pipelines.archive.batches import BatchStore
from pipelines.archive.files import files_written
from pipelines.archive.host_stats import HostStats
from pipelines.archive.originals import NOTHING, Originals, OriginalsPolicy
from pipelines.archive.records import KeptRecords

Item = Visit | FoundPages | Exchange | KeptRecords


class Store(BatchStore[Item]):
    """Write visits to an archive: a catalog, and the folder of the articles beside it."""

    def __init__(
        self,
        db: Database,
        data: Path,
        *,
        scope: Sequence[str],
        retry_delays: Sequence[float],
        host_failures: int | None = None,
        crawl: int,
        originals: OriginalsPolicy = NOTHING,
    ) -> None:
        """`retry_delays`: seconds before the first tries again; `crawl`: the run that the rows belong to.

        `host_failures`: failures in a row before a host is left alone for a while; None = never.
        """
        super().__init__(db, data, Originals(data, crawl, originals))
        self.root, self.crawl = data / "articles", crawl
        self.scope, self.retry_delays, self.host_failures = scope, retry_delays, host_failures
        self._last = datetime.min.replace(tzinfo=UTC)
        self._counted: dict[str, HostStats] = {}
        self._kinds: Counter[str] = Counter()

    def store(self, items: Sequence[Item]) -> list[str]:
        """Write the files and rows of several items, and return each one's kind of result."""
        self._counted.clear()  # counts of a batch that was rolled back
        self._kinds.clear()
        results = [self._store_item(item, file_hash) for item, file_hash in self._written(items)]
        self._write_counts()
        return results

    def _store_item(self, item: Item, file_hash: str | None) -> str:
        if isinstance(item, Visit):
            return self._settle(item, file_hash)
        if isinstance(item, FoundPages):
            return self._add_pages(item)
        if isinstance(item, KeptRecords):
            records.insert_kept(self.db, item.records)
        else:
            self.originals.keep(self.db, [item])
        return "kept"

    def _written(self, items: Sequence[Item]) -> list[tuple[Item, str | None]]:
        """Write the files of the items' articles; return each item with the hash of its file."""
        read = [item.article.url for item in items if isinstance(item, Visit) and item.article]
        extra = articles.extra_of(self.db, read)
        with files_written(self.root) as put:

            def written(item: Item) -> tuple[Item, str | None]:
                if not isinstance(item, Visit) or item.article is None:
                    return item, None
                article = item.article
                if known := extra.get(article.url):
                    article = replace(article, extra=known | article.extra)
                return replace(item, article=article), put(path_of(article.url), render(article).encode())

            return [written(item) for item in items]

    def _add_pages(self, found: FoundPages) -> str:
        """Make pages due that are new, that changed, or that failed and are named by the user."""
        if found.host and found.unread:
            self._counts(found.host).unread += 1
            return "found"
        now = found.at or self._stamp()
        newest = self.db.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()[0]
        known = self._add([url for url, _ in found.pages], depth=found.depth, now=iso(now))
        if found.host or found.asked_for:
            pages.mark_listed(self.db, [url for url, _ in found.pages])
        pages.expect_changes(self.db, found.pages, self.crawl, now)
        if found.host:
            query = "UPDATE hosts SET sitemaps_crawl = ? WHERE host = ?"
            self.db.execute(query, [self.crawl, found.host])
        if found.asked_for:
            pages.requeue_failed(self.db, [url for url, _ in found.pages], iso(now))
        if found.host:
            counts = self._counts(found.host)
            counts.sitemaps += 1
            counts.named += len(found.pages)
            counts.new_pages += sum(page > newest for page in known.values())
        return "found"

    def _settle(self, visit: Visit, file_hash: str | None) -> str:
        """Store a visit, its article and its links. Return the count of the crawl that it adds to."""
        now = visit.at or self._stamp()
        page = self._page(visit.url, iso(now))
        lost = regressions.find(self.db, page, visit.article) if visit.article else []
        regressions.record(self.db, self.crawl, page["id"], lost)
        stored = visit.state == "stored"
        record = visit.record
        if visit.exchanges:
            record = self.originals.keep(self.db, visit.exchanges, needed=visit.quarantine is not None)
        elif visit.record_place:
            record = records.payload_at(self.db, *visit.record_place)
        kind = self._store(visit, page, iso(now), file_hash, record) if stored else visit.state
        if visit.quarantine:
            quarantine.put(self.db, page["id"], self.crawl, visit.quarantine, iso(now), record)
        elif stored and visit.article:
            quarantine.release(self.db, page["id"])
        elif stored:
            quarantine.release_confirmed(self.db, page["id"])
        self._settle_page(visit, page, kind, now, lost=bool(lost))
        if visit.moved_to:
            target = self._add([visit.moved_to], depth=page["depth"], now=iso(now))[visit.moved_to]
            pages.record_redirect(self.db, page["id"], target)
        self._judge(visit, page, kind, now)
        self._kinds["pages"] += 1
        self._kinds[kind] += 1
        self._kinds["fetched"] += visit.status == 200
        self._counts(page["host"]).visited(visit, kind, page["state"])
        return kind

    def _counts(self, host: str) -> HostStats:
        """Return the counts of a host since they were last written."""
        if host not in self._counted:
            self._counted[host] = HostStats(host=host, crawl=self.crawl)
        return self._counted[host]

    def _write_counts(self) -> None:
        host_stats.add(self.db, self._counted.values())
        if self._kinds:
            sums = ", ".join(f"{kind} = {kind} + :{kind}" for kind in self._kinds)
            self.db.execute(
                f"UPDATE crawls SET {sums} WHERE id = :crawl", {**self._kinds, "crawl": self.crawl}
            )

    def _add(
        self, urls: Sequence[str], *, depth: int, now: str, found_on: int | None = None
    ) -> dict[str, int]:
        return pages.add(self.db, urls, scope=self.scope, depth=depth, now=now, found_on=found_on)

    def _page(self, url: str, now: str) -> dict[str, Any]:
        """Return a page's row; insert it if the page is new."""
        page = pages.find(self.db, url)
        if page is None:
            self._add([url], depth=0, now=now)
            page = pages.find(self.db, url)
            assert page is not None  # noqa: S101
        return page

    def _store(
        self, visit: Visit, page: dict[str, Any], now: str, file_hash: str | None, record: int | None
    ) -> str:
        if visit.article is None:
            articles.confirm_links(self.db, page["id"], now)
            return "not_modified"
        links = visit.article.also_read
        origin = articles.Origin(record, visit.extractor_version)
        kind = articles.store(
            self.db, page["id"], visit.article, self.crawl, now, file_hash=file_hash, origin=origin
        )
        targets = self._add(
            [link.url for link in links], depth=page["depth"] + 1, now=now, found_on=page["id"]
        )
        listed = [(targets[link.url], link.text) for link in links]
        articles.store_links(self.db, {page["id"]: listed}, now)
        return kind

    def _settle_page(
        self, visit: Visit, page: dict[str, Any], kind: str, now: datetime, *, lost: bool
    ) -> None:
        attempts = page["attempts"] + 1 if visit.state == "failed" else 0
        if attempts:
            asked = timedelta(seconds=visit.retry_after or 0)
            wait = max(revisit.next_try(attempts, self.retry_delays), asked)
            if visit.quarantine:
                wait = max(wait, revisit.SHORTEST)  # not urgent: the archive has a good copy
        elif lost or (visit.cut_off and kind == "new"):
            wait = revisit.SHORTEST  # a broken template is repaired soon, and not announced
        elif visit.state in ("stored", "not_article") and page["lastmod"] and page["announces"]:
            wait = revisit.next_visit_announced(page["url"])
        else:
            wait = revisit.next_visit(_interval(page), changed=kind == "changed")
        self.db.execute(
            """UPDATE pages SET state = :state, status = :status, error = :reason, attempts = :attempts,
                 due_at = :due_at, moved_to = NULL, found_at = min(found_at, :now),
                 fetched_at = CASE :attempts WHEN 0 THEN :now ELSE fetched_at END,
                 gone_at = CASE :state WHEN 'gone' THEN coalesce(gone_at, :now) WHEN 'failed' THEN gone_at END,
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

    def _judge(self, visit: Visit, page: dict[str, Any], kind: str, now: datetime) -> None:
        """Update the page's host: its failures, its pause, and the audit of its sitemap."""
        status = visit.status
        failing = visit.state == "failed" and (status is None or status >= 500 or status == 429)
        failures = page["failures"] + 1 if failing else 0 if status else page["failures"]
        paused = self.host_failures and revisit.pause(failures, self.host_failures)
        wait = max(timedelta(seconds=visit.retry_after or 0), paused or timedelta())
        if failures != page["failures"] or wait:
            self.db.execute(
                "UPDATE hosts SET failures = ?, not_before = coalesce(?, not_before) WHERE host = ?",
                [failures, iso(now + wait) if wait else None, page["host"]],
            )
        if visit.state == "stored" and _is_audit(page):
            self._count_audit(page, missed=kind == "changed")

    def _count_audit(self, page: dict[str, Any], *, missed: bool) -> None:
        audited, missed_so_far = page["audited"] + 1, page["missed"] + missed
        announces = revisit.announces(audited, missed_so_far)
        self.db.execute(
            "UPDATE hosts SET audited = ?, missed = ?, announces = ? WHERE host = ?",
            [audited, missed_so_far, announces, page["host"]],
        )
        if page["announces"] and not announces:
            pages.distrust(self.db, page["host"])

    def _stamp(self) -> datetime:
        """Return a time that is later than any before, so that pages sort as they were found."""
        self._last = max(self._last + timedelta(milliseconds=1), clock.now())
        return self._last


def _is_audit(page: dict[str, Any]) -> bool:
    """Return whether this visit audits the sitemap, which announced no change."""
    if not (page["archived"] and page["lastmod"] and page["fetched_at"]):
        return False
    return bool(page["lastmod"] <= (page["updated"] or page["fetched_at"]))


def _interval(page: dict[str, Any]) -> timedelta | None:
    """Return the time between the last visit and this one."""
    if page["fetched_at"] is None or page["state"] == "failed":
        return None
    return datetime.fromisoformat(page["due_at"]) - datetime.fromisoformat(page["fetched_at"])
