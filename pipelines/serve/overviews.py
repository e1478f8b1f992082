"""Load what the pages about the whole archive and about one host show, from views and counts."""

from __future__ import annotations

import json
from typing import Any

from sqlite_utils import Database

from pipelines.archive import alarms
from pipelines.archive.alarms import Alarm

PAGE_SIZE = 50
"""Articles on one page of a list."""
_MAX_NEWEST = 12
_MAX_HOSTS = 12
_MAX_LINKED = 50
_MAX_HOST_LINKS = 50
_MAX_ALARMS = 5
_LISTED = "SELECT url, title, host, author, date, lang, archived_at, changed_at FROM articles"
_NEWEST = f"{_LISTED} ORDER BY crawl DESC, id DESC LIMIT {_MAX_NEWEST}"
_CHANGED = f"{_LISTED} WHERE crawl <> changed_crawl ORDER BY changed_crawl DESC, id DESC LIMIT {_MAX_NEWEST}"
_TOTALS = """
    SELECT coalesce(sum(articles), 0) AS articles, coalesce(sum(words), 0) AS words,
           coalesce(sum(images), 0) AS images, count(*) FILTER (WHERE articles > 0) AS hosts
    FROM host_counts"""
_OF_HOST = f"{_LISTED} WHERE host = ? ORDER BY date DESC, id DESC LIMIT {PAGE_SIZE + 1} OFFSET ?"


def home(db: Database) -> dict[str, Any]:
    """Return what the first page shows."""
    return {
        "totals": next(db.query(_TOTALS)),
        "states": _states(db),
        "newest": list(db.query(_NEWEST)),
        "changed": list(db.query(_CHANGED)),
        **_alarms(db, alarms.recent(db)),
        "hosts": list(db.query(f"SELECT * FROM articles_by_host LIMIT {_MAX_HOSTS}")),
        "last_run": next(db.query("SELECT * FROM runs LIMIT 1"), None),
    }


def host(db: Database, name: str, offset: int) -> dict[str, Any] | None:
    """Return what the page of a host shows; None if no page of it was ever seen."""
    if not db.execute("SELECT 1 FROM hosts WHERE host = ?", [name]).fetchone():
        return None
    listed = list(db.query(_OF_HOST, [name, offset]))
    return {
        "host": name,
        "totals": next(db.query("SELECT * FROM host_counts WHERE host = ?", [name]), None),
        "states": _states(db, name),
        "articles": listed[:PAGE_SIZE],
        "more": len(listed) > PAGE_SIZE,
        "offset": offset,
        "page_size": PAGE_SIZE,
        "leads_to": _linked_hosts(db, name, "source", "target"),
        "named_by": _linked_hosts(db, name, "target", "source"),
        **_alarms(db, alarms.select(db, hosts=[name])),
    }


def graph(db: Database) -> dict[str, Any]:
    """Return what the page about links shows."""
    return {
        "most_linked": list(db.query(f"SELECT * FROM most_linked LIMIT {_MAX_LINKED}")),
        "between_hosts": list(db.query(f"SELECT * FROM links_between_hosts LIMIT {_MAX_HOST_LINKS}")),
        "links": next(db.query("SELECT coalesce(sum(links), 0) AS links, count(*) AS pairs FROM host_links")),
    }


def newest_changes(db: Database, limit: int) -> list[dict[str, Any]]:
    """Return the articles that came or changed last, newest first."""
    query = """SELECT url, title, host, author, date, tags, description, lang, archived_at, changed_at
               FROM articles ORDER BY changed_crawl DESC, id DESC LIMIT ?"""
    return list(db.query(query, [limit]))


def copy(db: Database, path: str) -> str | None:
    """Return the media type of an image's copy by its path below `images/`; None if there is no such copy."""
    row = db.execute("SELECT type FROM pictures WHERE path = ? AND state = 'stored'", [path]).fetchone()
    return row[0] if row else None


def _states(db: Database, host: str | None = None) -> list[dict[str, Any]]:
    query = """SELECT state, sum(pages) AS pages FROM state_counts
               WHERE host = :host OR :host IS NULL GROUP BY state ORDER BY pages DESC"""
    return list(db.query(query, {"host": host}))


def _linked_hosts(db: Database, host: str, end: str, other_end: str) -> list[dict[str, Any]]:
    query = f"""SELECT {other_end} AS host, links FROM host_links
                WHERE {end} = ? AND source <> target ORDER BY links DESC LIMIT {_MAX_HOSTS}"""
    return list(db.query(query, [host]))


def _alarms(db: Database, raised: list[tuple[dict[str, Any], Alarm]]) -> dict[str, Any]:
    """Return the newest of these alarms, how many there are, and which of their addresses are those of pages."""
    shown = raised[:_MAX_ALARMS]
    urls = json.dumps([url for _, alarm in shown for url in alarm.pages])
    query = "SELECT url FROM pages WHERE url IN (SELECT value FROM json_each(?))"
    known = {url for (url,) in db.execute(query, [urls])}
    return {"alarms": shown, "alarm_count": len(raised), "known_pages": known}
