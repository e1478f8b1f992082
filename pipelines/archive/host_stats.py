"""Count what a run finds on each host, so that runs can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from sqlite_utils import Database

from crawler.items import Article, State, Visit


@dataclass(slots=True, kw_only=True)
class HostStats:
    """The counts of one host, of one run or of several together; docs/catalog.md says what each counts."""

    host: str
    crawl: int = 0
    visits: int = 0
    failed: int = 0
    attempted: int = 0
    unreachable: int = 0
    gone: int = 0
    first_visits: int = 0
    read: int = 0
    reread: int = 0
    characters: int = 0
    without_title: int = 0
    without_author: int = 0
    without_date: int = 0
    without_also_read: int = 0
    without_body: int = 0
    generic: int = 0
    timed_visits: int = 0
    seconds: float = 0.0
    sitemaps: int = 0
    unread: int = 0
    named: int = 0
    new_pages: int = 0

    def visited(self, visit: Visit, kind: str, before: State) -> None:
        """Count a visit whose result is `kind`; `before`: the state of its page until then."""
        self.visits += 1
        self.failed += kind == "failed"
        if visit.seconds is not None:
            self.timed_visits += 1
            self.seconds += visit.seconds
        if before != "failed":
            self.attempted += 1
            self.unreachable += kind == "failed" and visit.status != 200
            self.gone += kind == "gone"
        if before == "due" and visit.status == 200:
            self.first_visits += 1
            self.without_body += visit.article is None
        if visit.article:
            self._read(visit.article, new=kind == "new")

    def _read(self, article: Article, *, new: bool) -> None:
        self.read += 1
        if new:
            self.characters += len(article.body)
        else:
            self.reread += 1
        self.without_title += not article.title
        self.without_author += not article.author
        self.without_date += not article.date
        self.without_also_read += not article.also_read
        self.generic += article.extractor == "generic"

    def __add__(self, other: HostStats) -> HostStats:
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        return HostStats(host=self.host, **counts)

    def __sub__(self, other: HostStats) -> HostStats:
        counts = {name: getattr(self, name) - getattr(other, name) for name in COUNTS}
        return HostStats(host=self.host, **counts)


COUNTS = tuple(field.name for field in fields(HostStats) if field.name not in ("host", "crawl"))

_NAMES = [field.name for field in fields(HostStats)]
_COLUMNS = ", ".join(_NAMES)
# A sitemap may be that of a host without a page: nothing is counted for it.
_ADD = f"""
    INSERT INTO host_runs ({_COLUMNS})
    SELECT {", ".join(f":{name}" for name in _NAMES)} FROM hosts WHERE host = :host
    ON CONFLICT (host, crawl) DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS)}
"""
_SUMS = ", ".join(f"sum({name})" for name in COUNTS)


def add(db: Database, runs: Iterable[HostStats]) -> None:
    """Add the counts to the rows of their host and crawl, in the caller's transaction."""
    for run in runs:
        db.execute(_ADD, {name: getattr(run, name) for name in _NAMES})


def between(db: Database, after: int, crawl: int) -> dict[str, HostStats]:
    """Return the sums by host of the crawls after `after` up to `crawl`."""
    return _summed(db, "crawl > ? AND crawl <= ?", after, crawl)


def unjudged(db: Database, crawl: int) -> dict[str, HostStats]:
    """Return the sums by host of the crawls up to `crawl` that were not judged."""
    return _summed(db, "NOT judged AND crawl <= ?", crawl)


def _summed(db: Database, which: str, *values: int) -> dict[str, HostStats]:
    rows = db.execute(f"SELECT host, {_SUMS} FROM host_runs WHERE {which} GROUP BY host", values)
    return {host: HostStats(host=host, **dict(zip(COUNTS, sums, strict=True))) for host, *sums in rows}


def last_judged(db: Database, host: str) -> int:
    """Return the last crawl whose counts of the host were judged; 0 if there is none."""
    query = "SELECT coalesce(max(crawl), 0) FROM host_runs WHERE host = ? AND judged"
    crawl: int = db.execute(query, [host]).fetchone()[0]
    return crawl


def mark_judged(db: Database, hosts: Iterable[str]) -> None:
    """Record that the counts of these hosts were judged, in the caller's transaction."""
    query = "UPDATE host_runs SET judged = 1 WHERE NOT judged AND host IN (SELECT value FROM json_each(?))"
    db.execute(query, [json.dumps(list(hosts))])


def of_host(db: Database, host: str, until: int, most: int) -> Iterator[HostStats]:
    """Return the last runs up to the crawl `until` that visited the host, newest first."""
    query = f"""SELECT {_COLUMNS} FROM host_runs WHERE host = ? AND crawl <= ? AND visits
                ORDER BY crawl DESC LIMIT ?"""
    for row in db.execute(query, [host, until, most]):
        yield HostStats(**dict(zip(_NAMES, row, strict=True)))


def hosts_of(db: Database, crawl: int) -> list[str]:
    """Return the hosts that a run has counts of."""
    return [host for (host,) in db.execute("SELECT host FROM host_runs WHERE crawl = ?", [crawl])]
