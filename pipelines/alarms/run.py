"""Raise the alarms of a run from its rows in the catalog and those of the runs before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce

from sqlite_utils import Database

from crawler.text import counted
from pipelines.alarms.rules import Record, judge_facts, judge_shares, saw_enough, silence
from pipelines.archive import host_stats, quarantine
from pipelines.archive.alarms import MAX_ADDRESSES, TRAP, Alarm
from pipelines.archive.host_stats import HostStats
from pipelines.archive.schema import NOT_ARCHIVED

_HISTORY_RUNS = 100
"""Earlier runs of a host that define what is normal for it."""
_HISTORY_FINDS = 30
_FEWEST_TRAPS = 10
"""New addresses refused as traps from which on an alarm is raised: a few are mistakes."""

_LACKS = """SELECT url FROM articles JOIN pages USING (id, url, host)
            WHERE host = :host AND fetched_at >= :since AND {} ORDER BY id LIMIT :most"""
_LOST = """SELECT url FROM losses JOIN pages ON pages.id = page
           WHERE crawl > :after AND host = :host AND field IN (:kind, 'other_' || :kind) ORDER BY page LIMIT :most"""
_QUARANTINED = """SELECT url FROM quarantine JOIN pages ON pages.id = page
                  WHERE crawl > :after AND host = :host AND state = 'failed' ORDER BY page LIMIT :most"""
# With +host SQLite takes the index by crawl, and not that by host, which leads through the whole archive.
_SAME_TEXT = """SELECT host, max(copies) FROM (
                  SELECT host, count(*) AS copies FROM articles WHERE crawl > ? GROUP BY +host, body_hash)
                GROUP BY host"""
_WITH_SAME_TEXT = """SELECT url FROM articles WHERE host = :host AND crawl > :after AND body_hash = (
                       SELECT body_hash FROM articles WHERE +host = :host AND crawl > :after
                       GROUP BY +body_hash ORDER BY count(*) DESC LIMIT 1)
                     ORDER BY id LIMIT :most"""
_FAILED = "SELECT url FROM pages WHERE host = :host AND state = 'failed' ORDER BY attempts, id LIMIT :most"
_FETCHED = (
    """SELECT url FROM pages WHERE host = :host AND fetched_at >= :since AND {} ORDER BY id LIMIT :most"""
)
_SHOW = {
    "title": (_LOST, _LACKS.format("articles.title IS NULL")),
    "author": (_LOST, _LACKS.format("author IS NULL")),
    "date": (_LOST, _LACKS.format("date IS NULL")),
    "also_read": (
        _LOST,
        _LACKS.format(
            "NOT EXISTS (SELECT 1 FROM also_read WHERE source = articles.id AND position IS NOT NULL)"
        ),
    ),
    "template": (_LACKS.format("extractor = 'generic'"),),
    "quarantine": (_QUARANTINED,),
    "flagged": (_LACKS.format("crawl > :after AND state = 'stored' AND error NOT NULL"),),
    "body": (_FETCHED.format("state = 'not_article' AND status = 200"), _FAILED),
    "same_text": (_WITH_SAME_TEXT,),
    "down": (_FAILED,),
    "failures": (_FAILED,),
    "gone": (_FETCHED.format("state = 'gone'"),),
    "length": (_LACKS.format("archived_at >= :since").replace("ORDER BY", "ORDER BY words,"),),
    "slow": (_FETCHED.format("true"),),
}
"""Queries for the addresses that show an alarm, by its kind; the first that finds any is used."""

_Numbers = Mapping[str, Mapping[str, int]]
"""Numbers by host and name; a host without any has an empty mapping."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Runs that are judged together: this one, and those before it that were not judged."""

    db: Database
    after: int
    """The last crawl that was judged."""
    crawl: int
    since: str
    """Start of the first of them."""
    whole: bool


def hosts_to_judge(db: Database, crawl: int, left: Mapping[str, int]) -> dict[str, HostStats]:
    """Return the counts, since they were last judged, of the hosts of which enough was seen.

    `left`: pages by host that the run did not come to. Counts of the other hosts are judged by a later run.
    """
    hosts = host_stats.between(db, _run(db, crawl, whole=False).after, crawl)
    return {
        host: counts
        for host, counts in host_stats.unjudged(db, crawl).items()
        if host in hosts and saw_enough(counts, left.get(host, 0))
    }


def judge_run(db: Database, crawl: int, judged: Mapping[str, HostStats], *, whole: bool) -> Iterator[Alarm]:
    """Yield the alarms of a run; `whole`: it ended by itself, so that what it did not find is gone.

    `judged`: the counts of hosts that are judged by shares of their pages.
    """
    run = _run(db, crawl, whole)
    if killed := db.execute(
        "SELECT max(id) FROM crawls WHERE id > ? AND id < ?", [run.after, crawl]
    ).fetchone()[0]:
        yield Alarm(kind="killed", message=f"Crawl {killed} was killed; this one goes on.")
    traps = db.execute(
        f"""SELECT url FROM pages WHERE {NOT_ARCHIVED} AND state = 'refused' AND error GLOB 'trap: *'
              AND found_at >= ? ORDER BY id""",
        [run.since],
    ).fetchall()
    if len(traps) >= _FEWEST_TRAPS:
        refused = counted(len(traps), "new address was", "new addresses were")
        message = f"{refused} refused, as they may have no end."
        yield Alarm(kind=TRAP, message=message, pages=tuple(url for (url,) in traps[:MAX_ADDRESSES]))
    everywhere, raised = _everywhere(run), _last_raised(db)
    yield from _facts(run, everywhere, raised)
    yield from _shares(run, judged, everywhere, raised)


def _facts(run: _Run, everywhere: HostStats, raised: _Numbers) -> Iterator[Alarm]:
    quarantined, flagged = _by_host(quarantine.counts_since(run.db, run.after)), _by_host(_flagged(run))
    same_text = dict(run.db.execute(_SAME_TEXT, [run.after]).fetchall())
    for host, counts in host_stats.between(run.db, run.after, run.crawl).items():
        record = Record(
            now=counts,
            before=list(host_stats.of_host(run.db, host, run.after, _HISTORY_RUNS)),
            elsewhere=everywhere - counts,
            quarantined=quarantined[host],
            flagged=flagged[host],
            same_text=same_text.get(host, 0),
            raised=raised[host],
            named_before=_named_before(run, host),
            unread_before=_unread_before(run, host),
        )
        for alarm in judge_facts(record):
            yield replace(alarm, pages=_pages(run, alarm))
        if counts.sitemaps and (silent := _silence(run, host)):
            message = f"{host} has brought no new page for {counted(silent.days, 'day')}, longer than ever."
            yield Alarm(kind="quiet", host=host, message=message)


def _shares(
    run: _Run, judged: Mapping[str, HostStats], everywhere: HostStats, raised: _Numbers
) -> Iterator[Alarm]:
    lost = _losses(run.db)
    for host, counts in judged.items():
        after = host_stats.last_judged(run.db, host)
        since_judged = replace(run, after=after, since=_started_after(run.db, after))
        record = Record(
            now=counts,
            lost=lost[host],
            before=list(host_stats.of_host(run.db, host, after, _HISTORY_RUNS)),
            elsewhere=everywhere - counts,
            raised=raised[host],
        )
        for alarm in judge_shares(record):
            yield replace(alarm, pages=_pages(since_judged, alarm))


def _run(db: Database, crawl: int, whole: bool) -> _Run:
    query = "SELECT coalesce(max(id), 0) FROM crawls WHERE id < ? AND outcome NOT IN ('killed', 'imported')"
    after = db.execute(query, [crawl]).fetchone()[0]
    return _Run(db, after, crawl, _started_after(db, after), whole)


def _started_after(db: Database, crawl: int) -> str:
    """Return when the first run began after another one."""
    started: str = db.execute("SELECT min(started_at) FROM crawls WHERE id > ?", [crawl]).fetchone()[0]
    return started


def _everywhere(run: _Run) -> HostStats:
    before = host_stats.between(run.db, run.after - _HISTORY_RUNS, run.crawl)
    return reduce(HostStats.__add__, before.values(), HostStats(host=""))


def _losses(db: Database) -> dict[str, dict[str, int]]:
    """Count the articles that lost each field since their host was last judged, by host."""
    query = """SELECT pages.host, field, count(DISTINCT page)
               FROM losses JOIN pages ON pages.id = page
                           JOIN host_runs ON host_runs.host = pages.host AND host_runs.crawl = losses.crawl
               WHERE NOT judged GROUP BY pages.host, field"""
    return _by_host(db.execute(query))


def _flagged(run: _Run) -> Iterator[tuple[str, str, int]]:
    """Yield host, rule and number of the new articles that were stored with a reason."""
    yield from run.db.execute(
        """SELECT articles.host, substr(error, 1, instr(error, ':') - 1) AS rule, count(*)
           FROM articles CROSS JOIN pages USING (id) WHERE crawl > ? AND state = 'stored' AND error NOT NULL
           GROUP BY +articles.host, rule""",
        [run.after],
    )


def _last_raised(db: Database) -> dict[str, dict[str, int]]:
    """Return the crawl in which each kind of alarm was last raised, by host."""
    return _by_host(
        db.execute("SELECT host, kind, max(crawl) FROM alarms WHERE host IS NOT NULL GROUP BY host, kind")
    )


def _by_host(rows: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Group numbers by host and name; a host without any has an empty mapping."""
    numbers: dict[str, dict[str, int]] = defaultdict(dict)
    for host, name, number in rows:
        numbers[host][name] = number
    return numbers


def _named_before(run: _Run, host: str) -> int | None:
    """Return the pages that the host's sitemap named in the last run that read it whole."""
    if not run.whole:
        return None
    query = """SELECT named FROM host_runs JOIN crawls ON crawls.id = crawl
               WHERE host = ? AND crawl <= ? AND sitemaps AND outcome = 'finished'
               ORDER BY crawl DESC LIMIT 1"""
    row = run.db.execute(query, [host, run.after]).fetchone()
    return row[0] if row else None


def _unread_before(run: _Run, host: str) -> int:
    query = """SELECT unread FROM host_runs WHERE host = ? AND crawl <= ? AND sitemaps + unread
               ORDER BY crawl DESC LIMIT 1"""
    row = run.db.execute(query, [host, run.after]).fetchone()
    return row[0] if row else 0


def _silence(run: _Run, host: str) -> timedelta | None:
    times = (
        "SELECT started_at FROM host_runs JOIN crawls ON crawls.id = crawl WHERE host = ? AND sitemaps AND {}"
    )
    finds = run.db.execute(
        times.format("new_pages ORDER BY crawl DESC LIMIT ?"), [host, _HISTORY_FINDS]
    ).fetchall()
    if not finds:
        return None
    misses = run.db.execute(times.format("started_at > ? ORDER BY crawl"), [host, finds[0][0]]).fetchall()
    return silence(_moments(reversed(finds)), _moments(misses))


def _moments(rows: Iterable[tuple[str]]) -> list[datetime]:
    return [datetime.fromisoformat(moment) for (moment,) in rows]


def _pages(run: _Run, alarm: Alarm) -> tuple[str, ...]:
    values = {
        "host": alarm.host,
        "kind": alarm.kind,
        "since": run.since,
        "after": run.after,
        "most": MAX_ADDRESSES,
    }
    for query in _SHOW.get(alarm.kind, ()):
        if rows := run.db.execute(query, values).fetchall():
            return tuple(url for (url,) in rows)
    return ()
