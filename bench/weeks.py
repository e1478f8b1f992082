"""Does a scheduled crawl see every change of text, make no revision without one, and ask for little else?

python -m bench.weeks PUBLISHES

PUBLISHES has one folder a publish, named by its day (YYYY-MM-DD), each with one folder a host. Every publish is
served as it was and crawled into one archive by its sitemaps, with the clock at the end of its day. What should
come of it is told from the files alone: the sitemaps' `lastmod`, and the pages read and compared one publish with
the next. Prints a table of the weeks, why pages were asked for that no sitemap announced, and what was missed.
Exits with 1 where one of these does not hold:

(a) an article whose visible text changed has its old version as a revision after the same week's crawl;
(b) there is no revision where title, author, body and pictures are what the archive held already;
(c) from the second week on, requests are at most the posts that `lastmod` announces as new or changed, the
    sitemaps, robots.txt, and 5 % of the posts.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.publishes import Changes, Publish, changes, publishes, version
from bench.revisit import visit
from crawler.urls import canonical
from tests.site import Request, Site

_SPARE = 0.05
"""Part of the posts that a week may ask for though nothing announces a change."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Known:
    """A page's row before a crawl."""

    state: str
    due_at: str | None
    fetched_at: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A page as the archive last read it."""

    version: tuple[object, ...] | None
    """None where it was no article."""
    lastmod: datetime | None
    """What the sitemap said then."""


@dataclass(slots=True)
class Week:
    """What became of one publish."""

    publish: Publish
    changes: Changes
    requests: Counter[str] = field(default_factory=Counter)
    asked: dict[str, int] = field(default_factory=dict)
    """The pages that were asked for, and the last answer to each."""
    revised: set[str] = field(default_factory=set)
    baseless: set[str] = field(default_factory=set)
    """Revised although the archive held the same version."""
    stale: int = 0
    """Articles of which the archive holds another version than the publish."""
    reasons: dict[str, list[str]] = field(default_factory=dict)
    """Why pages were asked for that were not announced."""

    @property
    def missed(self) -> set[str]:
        """Changes of text without a revision."""
        return self.changes.text - self.revised

    @property
    def most(self) -> float:
        """The requests that the week may take."""
        spare = _SPARE * len(self.publish.articles)
        return len(self.changes.announced) + self.requests["sitemap"] + self.requests["robots"] + spare


def crawl(week: Week, data: Path, held: dict[str, Held]) -> None:
    """Crawls the publish. `held` is what the archive last read of each page, and is brought up to date."""
    publish = week.publish
    known = _pages(data)
    with Site(publish.root) as site:
        started_at = visit(site.url, publish.hosts, data, publish.at - datetime.now(UTC))["crawl"][
            "started_at"
        ]
    for request in site.log:
        _count(week, request)
    query = "SELECT url FROM pages WHERE id IN (SELECT article FROM revisions WHERE replaced_at >= ?)"
    week.revised = {url for (url,) in _rows(data, query, started_at)}
    for url, status in week.asked.items():
        article, lastmod, last = publish.articles.get(url), publish.lastmod.get(url), held.get(url)
        if url not in week.changes.announced:
            late = last is not None and last.lastmod != lastmod
            why = "announced by an earlier publish" if late else _why(known.get(url), started_at)
            week.reasons.setdefault(f"{why}; answered {status}", []).append(url)
        current = version(article) if article else None
        if url in week.revised and last and last.version == current:
            week.baseless.add(url)
        held[url] = Held(current, lastmod)
    week.baseless |= week.revised - week.asked.keys()
    week.stale = sum(
        url not in held or held[url].version != version(article) for url, article in publish.articles.items()
    )


def _count(week: Week, request: Request) -> None:
    url = f"https://{request.host}{request.path}"
    if request.path == "/robots.txt":
        week.requests["robots"] += 1
    elif url in week.publish.sitemaps:
        week.requests["sitemap"] += 1
    else:
        week.requests[str(request.status)] += 1
        week.asked[canonical(url)] = request.status


def _pages(data: Path) -> dict[str, Known]:
    """What the archive knows of every page; nothing where there is no archive yet."""
    rows = _rows(data, "SELECT url, state, due_at, fetched_at FROM pages")
    return {url: Known(*facts) for url, *facts in rows}


def _rows(data: Path, query: str, *values: str) -> list[tuple[str, ...]]:
    path = data / "archive.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query, values).fetchall()


def _why(page: Known | None, started_at: str) -> str:
    if page is None:
        return "not known before"
    if page.due_at is None or page.due_at > started_at:
        return f"{page.state}, not due: brought forward by the run (an audit)"
    if page.fetched_at is None:
        return f"{page.state}, never fetched"
    wait = datetime.fromisoformat(page.due_at) - datetime.fromisoformat(page.fetched_at)
    return f"{page.state}, due {wait.total_seconds() / 86400:.1f} days after its last visit"


_COLUMNS = {
    "publish": 10,
    "posts": 6,
    "announced": 9,
    "changed": 8,
    "in text": 8,
    "asked": 6,
    "allowed": 8,
    "200": 5,
    "304": 5,
    "404": 5,
    "other": 6,
    "sitemap": 8,
    "robots": 7,
    "revised": 8,
    "missed": 7,
    "baseless": 8,
    "stale": 6,
}


def _print_row(values: Iterable[object]) -> None:
    print(
        *(f"{value!s:>{width}}" for value, width in zip(values, _COLUMNS.values(), strict=True)), flush=True
    )


def _row(week: Week) -> list[object]:
    kinds = week.requests
    named = [kinds[kind] for kind in ("200", "304", "404")]
    other = kinds.total() - sum(named) - kinds["sitemap"] - kinds["robots"]
    return [
        week.publish.root.name,
        len(week.publish.articles),
        len(week.changes.announced),
        len(week.changes.telling),
        len(week.changes.text),
        kinds.total(),
        int(week.most),
        *named,
        other,
        kinds["sitemap"],
        kinds["robots"],
        len(week.revised),
        len(week.missed),
        len(week.baseless),
        week.stale,
    ]


def _print_details(week: Week) -> None:
    if week.missed:
        told = len(week.missed & week.changes.announced)
        unasked = len(week.missed - week.asked.keys())
        print(f"  missed: lastmod announced {told} of {len(week.missed)}; {unasked} were not asked for")
    for why, urls in sorted(week.reasons.items()):
        print(f"  not announced, asked for: {len(urls)} {why}, such as {urls[0]}")
    skipped = week.changes.announced - week.asked.keys()
    if skipped:
        print(f"  announced, not asked for: {len(skipped)}, such as {min(skipped)}")
    for name, wrong in (("missed", week.missed), ("baseless", week.baseless)):
        for url in sorted(wrong)[:_SHOWN]:
            print(f"  {name}: {url}")


def main() -> int:
    """Runs the weeks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("publishes", type=Path)
    folder: Path = parser.parse_args().publishes
    weeks: list[Week] = []
    held: dict[str, Held] = {}
    _print_row(_COLUMNS)
    with TemporaryDirectory() as data:
        before: Publish | None = None
        for publish in publishes(folder):
            weeks.append(week := Week(publish, changes(publish, before)))
            crawl(week, Path(data), held)
            _print_row(_row(week))
            _print_details(week)
            before = publish
    verdicts = {
        "(a) every change of text archived in its week": not any(week.missed for week in weeks),
        "(b) no revision without a change": not any(week.baseless for week in weeks),
        "(c) few requests but those announced": all(week.requests.total() <= week.most for week in weeks[1:]),
    }
    for bar, kept in verdicts.items():
        print(f"{bar}: {'kept' if kept else 'MISSED'}")
    return int(not all(verdicts.values()))


if __name__ == "__main__":
    sys.exit(main())
