"""Add and update rows of pages, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from sqlite_utils import Database

from crawler.items import iso
from crawler.urls import host_in_scope, host_of
from pipelines.archive import revisit
from pipelines.archive.traps import find_trap

_INSERT = """INSERT INTO pages (id, url, host, state, due_at, error, depth, found_on, found_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_OUTSIDE = ("refused", None, "scope: another site")
_HARMLESS_SLASHES = 5
"""Slashes in an address up to which it can't be a trap: it has two segments."""


def add(
    db: Database,
    urls: Sequence[str],
    *,
    scope: Sequence[str],
    depth: int,
    now: str,
    found_on: int | Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Add pages, and return the ids of all by address: new ones become due, a shorter way lowers a depth.

    `found_on`: the page that links to all of them, or to each.
    """
    query = "SELECT url, id, depth FROM pages WHERE url IN (SELECT value FROM json_each(?))"
    known = {url: (page, far) for url, page, far in db.execute(query, [json.dumps(urls)])}
    ids = {url: page for url, (page, _) in known.items()}
    new = {url: host_of(url) for url in urls if url not in known}
    outside = {host: not host_in_scope(host, scope) for host in dict.fromkeys(new.values())}
    if outside:
        insert = "INSERT OR IGNORE INTO hosts (host) SELECT value FROM json_each(?)"
        db.execute(insert, [json.dumps(list(outside))])
    newest: int = db.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()[0]
    ids |= zip(new, count(newest + 1))
    inside = ("due", now, None)

    def state(url: str, host: str) -> tuple[str, str | None, str | None]:
        if outside[host]:
            return _OUTSIDE
        trap = find_trap(url) if url.count("/") > _HARMLESS_SLASHES else None
        return ("refused", None, f"trap: {trap}") if trap else inside

    db.conn.executemany(
        _INSERT,
        [
            (
                ids[url],
                url,
                host,
                *state(url, host),
                depth,
                found_on[url] if isinstance(found_on, Mapping) else found_on,
                now,
            )
            for url, host in new.items()
        ],
    )
    farther = [page for page, far in known.values() if far > depth]
    if farther:
        _lower_depths(db, farther, depth)
    return ids


def _lower_depths(db: Database, pages: list[int], depth: int) -> None:
    """Lower the depths of pages and of the pages behind them, level by level, each once."""
    nearer = """UPDATE pages SET depth = :depth WHERE depth > :depth AND id IN ({}) RETURNING id"""
    linked = "SELECT target FROM also_read WHERE source IN (SELECT value FROM json_each(:pages))"
    moved = "SELECT moved_to FROM pages WHERE id IN (SELECT value FROM json_each(:pages))"
    level = _ids(db, nearer.format("SELECT value FROM json_each(:pages)"), pages, depth)
    while level:
        hops = level
        while hops := _ids(db, nearer.format(moved), hops, depth):
            level += hops
        depth += 1
        level = _ids(db, nearer.format(linked), level, depth)


def lower_all_depths(db: Database) -> None:
    """Lower every page's depth to what its incoming links and redirects allow, level by level."""
    nearer = """UPDATE pages SET depth = way.depth FROM (
                  SELECT target, min(depth) AS depth FROM (
                    SELECT target, pages.depth + 1 AS depth FROM also_read JOIN pages ON pages.id = source
                    UNION ALL SELECT moved_to, depth FROM pages WHERE moved_to IS NOT NULL)
                  GROUP BY target) AS way
                WHERE pages.id = way.target AND pages.depth > way.depth"""
    while db.execute(nearer).rowcount:
        pass


def _ids(db: Database, query: str, pages: list[int], depth: int) -> list[int]:
    return [page for (page,) in db.execute(query, {"pages": json.dumps(pages), "depth": depth}).fetchall()]


def find(db: Database, url: str) -> dict[str, Any] | None:
    """Return a page's row with its host's, whether its article is `archived`, and its `updated`."""
    query = """SELECT pages.*, articles.id IS NOT NULL AS archived, articles.updated,
                      failures, audited, missed, announces
               FROM pages JOIN hosts USING (host) LEFT JOIN articles USING (id) WHERE pages.url = ?"""
    return first(db, query, url)


def first(db: Database, query: str, *values: Any) -> dict[str, Any] | None:
    """Return the first row as a dict; sqlite-utils' query() opens a transaction for each."""
    rows = db.execute(query, values)
    row = rows.fetchone()
    return None if row is None else dict(zip([column for column, *_ in rows.description], row, strict=True))


def expect_changes(
    db: Database, lastmods: Sequence[tuple[str, datetime | None]], crawl: int, now: datetime
) -> None:
    """Make pages due that changed by their sitemap since they were fetched, and a few others as an audit.

    A page whose changes are announced from now on is revisited late. Of several times the latest counts.
    """
    db.execute(
        """WITH entry AS (SELECT value ->> 0 AS url, value ->> 1 AS lastmod, value ->> 2 AS drawn, value ->> 3 AS days
                           FROM json_each(:entries)),
             page AS (
               SELECT pages.id, entry.lastmod, days,
                      entry.lastmod > coalesce(articles.updated, fetched_at, '') AS changed,
                      (state = 'not_article' OR state = 'stored' AND error IS NULL)
                        AND pages.lastmod IS NULL AND announces AS calm,
                      state = 'stored' AND drawn AND fetched_at < :a_day_ago AS audit,
                      entry.lastmod > coalesce(pages.lastmod, '') AS newer
               FROM entry JOIN pages USING (url) JOIN hosts USING (host) LEFT JOIN articles USING (id)
               WHERE state <> 'refused')
           UPDATE pages SET lastmod = page.lastmod, due_at = CASE
             WHEN changed AND newer OR audit THEN min(due_at, :now)
             WHEN calm THEN strftime('%Y-%m-%dT%H:%M:%fZ', fetched_at, days || ' days')
             ELSE due_at END
           FROM page WHERE pages.id = page.id AND (newer OR audit)""",
        {
            "entries": json.dumps(
                [
                    [url, iso(at), revisit.is_audited(url, crawl), revisit.next_visit_announced(url).days]
                    for url, at in lastmods
                    if at
                ]
            ),
            "now": iso(now),
            "a_day_ago": iso(now - revisit.SHORTEST),
        },
    )


def mark_listed(db: Database, urls: Sequence[str]) -> None:
    """Record that a sitemap or the user names the pages."""
    query = "UPDATE pages SET listed = 1 WHERE NOT listed AND url IN (SELECT value FROM json_each(?))"
    db.execute(query, [json.dumps(urls)])


def leave(db: Database, which: str, value: int | str, reason: str) -> list[str]:
    """Record why a run leaves pages that were never fetched to the next one; return their addresses.

    `which`: an SQL condition on `pages` with the parameter `value`.
    """
    query = f"""UPDATE pages SET error = :reason
                WHERE state = 'due' AND due_at NOT NULL AND {which} RETURNING url"""
    rows = db.execute(query, {"value": value, "reason": f"budget: {reason}"})
    return sorted(url for (url,) in rows.fetchall())


def distrust(db: Database, host: str) -> None:
    """Schedule the pages of a host as if it had no sitemap, since its sitemap is wrong."""
    db.execute(
        """UPDATE pages SET due_at = min(due_at, strftime('%Y-%m-%dT%H:%M:%fZ', fetched_at, ? || ' days'))
           WHERE host = ? AND state = 'stored' AND lastmod IS NOT NULL""",
        [revisit.FIRST.days, host],
    )


def requeue_failed(db: Database, urls: Sequence[str], now: str) -> None:
    """Make the failed ones of these pages due."""
    db.execute(
        """UPDATE pages SET due_at = min(due_at, ?)
           WHERE state = 'failed' AND url IN (SELECT value FROM json_each(?))""",
        [now, json.dumps(urls)],
    )


def retry_failed(db: Database, hosts: Sequence[str], now: str) -> None:
    """Make all failed pages of the hosts due, and lift the hosts' pauses."""
    failed = "host IN (SELECT value FROM json_each(:hosts))"
    values = {"hosts": json.dumps(hosts), "now": now}
    db.execute(f"UPDATE pages SET due_at = min(due_at, :now) WHERE state = 'failed' AND {failed}", values)
    db.execute(f"UPDATE hosts SET not_before = NULL, failures = 0 WHERE {failed}", values)


def recrawl(db: Database, hosts: Sequence[str], since: str, now: str) -> None:
    """Make all pages of the hosts due that were last fetched before `since`."""
    db.execute(
        """UPDATE pages SET due_at = min(due_at, :now)
           WHERE fetched_at < :since AND host IN (SELECT value FROM json_each(:hosts))""",
        {"hosts": json.dumps(hosts), "since": since, "now": now},
    )


def record_redirect(db: Database, page: int, target: int) -> None:
    """Record a redirect; each page of a circle of them gets that reason."""
    db.execute("UPDATE pages SET moved_to = ? WHERE id = ?", [target, page])
    db.execute(
        """WITH RECURSIVE hop(id) AS (
             SELECT :target
             UNION SELECT pages.moved_to FROM hop JOIN pages USING (id) WHERE pages.moved_to IS NOT NULL)
           UPDATE pages SET error = 'redirects in a circle'
           WHERE :page IN (SELECT id FROM hop) AND id IN (SELECT id FROM hop)""",
        {"page": page, "target": target},
    )
