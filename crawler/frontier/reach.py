"""Tell what a crawl can't reach, or could not: hosts of another part, excluded seeds, and hosts without an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path

from sqlite_utils import Database

from crawler.errors import UsageError
from crawler.frontier.seeds import read_seeds
from crawler.urls import host_of
from pipelines.archive.connection import open_readonly

_MAX_NAMED = 3
"""Seeds that an error names."""

# The index of due pages has those that are listed apart from the others: the first of each is found at once.
_FIRST_DUE = (
    "(SELECT min(due_at) FROM pages WHERE pages.host = hosts.host AND listed = {} AND due_at NOT NULL)"
)
_NEXT_DUE = f"""SELECT host, max(due_at, coalesce(not_before, '')) FROM (
                  SELECT host, not_before, {_FIRST_DUE.format(0)} AS due_at FROM hosts
                  UNION ALL SELECT host, not_before, {_FIRST_DUE.format(1)} FROM hosts)
                WHERE due_at NOT NULL"""
_PARTS = """SELECT DISTINCT options ->> 'ALSOREAD_PART' FROM crawls
            WHERE options ->> 'ALSOREAD_DISCOVER' IS NOT NULL"""
"""Selects the parts that crawls had, and NULL for those without one; imports had no options."""
_FAILED_SEED = """SELECT error, fetched_at FROM pages JOIN host_runs USING (host)
                  WHERE url = ? AND crawl = ? AND (state = 'failed' AND visits = failed OR error GLOB 'address: *')"""


@dataclass(frozen=True, slots=True)
class UnreachableHost:
    """A host of a seed of which nothing could be fetched, why, and hosts that may have been meant."""

    host: str
    reason: str
    similar: list[str]


def is_wanted(host: str, patterns: Sequence[str]) -> bool:
    """Return whether a host matches one of the patterns; any does where there are none."""
    return not patterns or any(fnmatch(host, pattern) for pattern in patterns)


def check_patterns(pages: Sequence[str], patterns: Sequence[str], origin: str, path: Path) -> None:
    """Raise UsageError if the patterns exclude every seed, and every host that the catalog at `path` knows.

    `origin`: where the patterns are from, in the words of the error.
    """
    seeds = list(dict.fromkeys(map(host_of, pages)))
    if any(is_wanted(host, patterns) for host in seeds):
        return
    if path.exists():
        with closing(open_readonly(path)) as db:
            if any(is_wanted(host, patterns) for (host,) in db.execute("SELECT host FROM hosts")):
                return
    more = f" and {len(seeds) - _MAX_NAMED} more" if len(seeds) > _MAX_NAMED else ""
    raise UsageError(
        f"{origin} {', '.join(patterns)} excludes every seed ({', '.join(seeds[:_MAX_NAMED])}{more}): "
        "a pattern has to match the whole name of a host, as *-tips.techidaily.com does."
    )


def check_part(part: str | None, cluster: str | None, data: Path) -> None:
    """Raise UsageError if an archive can't be crawled as this part of the hosts, or not without a part.

    `cluster`: its address. An archive that was crawled otherwise too, as a merged one was, may be any part.
    """
    if part and cluster in (None, "auto"):
        raise UsageError("--part needs --cluster ADDRESS: the other parts are crawled on the same cluster.")
    path = data / "archive.db"
    if not path.exists():
        return
    with closing(open_readonly(path)) as db:
        crawled = {value for (value,) in db.execute(_PARTS)}
    if len(crawled) == 1 and crawled.isdisjoint((None, part)):
        raise UsageError(
            f"{data} has part {crawled.pop()} of the hosts: crawl it as that part, or merge it with another first."
        )


def next_due(db: Database, wanted: Callable[[str], bool]) -> str | None:
    """Return when the next page of a wanted host is due; None if none will be."""
    return min((due for host, due in db.execute(_NEXT_DUE) if wanted(host)), default=None)


def unreachable_hosts(
    db: Database, crawl: int, pages: Iterable[str], scope: Sequence[str]
) -> list[UnreachableHost]:
    """Return the hosts of seeds of which a crawl could fetch nothing."""
    rows = ((url, db.execute(_FAILED_SEED, [url, crawl]).fetchone()) for url in pages)
    failed = {host_of(url): row for url, row in rows if row}
    known = _known_hosts(db, scope) if failed else []
    return [
        UnreachableHost(host, reason, [] if fetched_at else _similar_hosts(host, known))
        for host, (reason, fetched_at) in failed.items()
    ]


def _known_hosts(db: Database, scope: Sequence[str]) -> list[str]:
    """Return the hosts of the default seeds and those with articles."""
    with_articles = db.execute("SELECT host FROM host_counts WHERE articles")
    return [*map(host_of, read_seeds([], scope)), *(host for (host,) in with_articles)]


def _similar_hosts(host: str, known: Iterable[str]) -> list[str]:
    """Return known hosts with a similar name."""
    names = {other.partition(".")[0]: other for other in known if other != host}
    return [names[match] for match in get_close_matches(host.partition(".")[0], names)]
