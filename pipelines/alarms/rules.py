"""Alarm rules: compare a host's counts with its history and report significant changes. Pure.

A share that rises is reported if chance is unlikely to explain it (Fisher's exact test, one-sided). What was reported
once becomes the host's normal state, so that it is not reported again in every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise
from math import exp, fsum, lgamma

from crawler.text import counted
from pipelines.archive.alarms import Alarm
from pipelines.archive.host_stats import HostStats

_FEWEST_PAGES = 3
"""Pages below which no share is judged."""
_ENOUGH_VISITS = 200
"""Visits from which on a host's pages are judged although more of them are left than were seen."""
_LEAST_SHARE = 0.1
_FEWEST_SAME_TEXT = 10
"""New articles with one text from which on an alarm is raised: blogs repeat a post now and then."""
_MAX_CHANCE, _MAX_CHANCE_ONCE_SEEN = 0.01, 0.001
"""Maximum probability of chance; lower where a host has shown it before, as that comes in clusters."""
_LEAST_LOST_SHARE = 0.2
"""Share of the reread articles; a smaller one is explained by edits."""
_LEAST_OTHER_SHARE = 0.5
_SLOWER_TIMES, _SLOW_SECONDS = 5, 2.0
"""Factor by which a host is slower than before, and seconds a page, at least."""
_FEWEST_TIMED_VISITS = 10
_LENGTH_RATIO = 1 / 3
_FEWEST_NEW_NOW, _FEWEST_NEW_BEFORE = 5, 20
_FEWEST_NAMED, _LEAST_NAMED_SHARE = 10, 0.5
_FEWEST_GAPS, _GAP_RATIO = 4, 3
_SHORTEST_SILENCE = timedelta(days=7)
_SILENT_RUNS = 3
"""Runs that found nothing new before a host counts as silent."""

_SHARES = {
    "title": ("without_title", "have no title"),
    "author": ("without_author", "have no author"),
    "date": ("without_date", "have no date"),
    "also_read": ("without_also_read", "have no also-read list"),
}
_LOST_FIELDS = {"title": "title", "author": "author", "date": "date", "also_read": "also-read list"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A host's counts in a run, and its history."""

    now: HostStats
    lost: Mapping[str, int] = field(default_factory=dict)
    """Articles that lost a field, by field."""
    before: Sequence[HostStats] = ()
    """Earlier runs that visited the host, the newest first."""
    elsewhere: HostStats | None = None
    """The other hosts, now and before: they define what is normal where `before` is empty."""
    quarantined: Mapping[str, int] = field(default_factory=dict)
    """Pages that came into quarantine, by rule."""
    flagged: Mapping[str, int] = field(default_factory=dict)
    """New articles that were stored with a reason, by rule."""
    same_text: int = 0
    """The most new articles that have one text."""
    raised: Mapping[str, int] = field(default_factory=dict)
    """The crawl in which each kind of alarm was last raised for this host."""
    named_before: int | None = None
    """Pages that its sitemap named when it was last read; None if unknown, or not read whole now."""
    unread_before: int = 0
    """Sitemaps that could not be read when they were last requested."""


def judge_facts(record: Record) -> Iterator[Alarm]:
    """Yield the alarms of a host that hold however little of it a run saw; they name no pages yet."""
    yield from _template(record)
    yield from _doubts(record)
    yield from _same_text(record)
    yield from _down(record)
    yield from _sitemap(record)


def judge_shares(record: Record) -> Iterator[Alarm]:
    """Yield the alarms of a host that compare shares of its pages; they name no pages yet."""
    yield from _fields(record)
    yield from _other_authors(record)
    yield from _bodies(record)
    yield from _answers(record)
    yield from _lengths(record)
    yield from _speed(record)


def saw_enough(now: HostStats, left: int) -> bool:
    """Return whether shares of a host's pages can be judged; `left`: pages that the run did not come to.

    Pages come in an order, such as the oldest first, so that few of many are no sample of the host.

    >>> saw_enough(HostStats(host="h", visits=50), 4_000), saw_enough(HostStats(host="h", visits=50), 50)
    (False, True)
    >>> saw_enough(HostStats(host="h", visits=200), 4_000)
    True
    """
    return now.visits >= min(left, _ENOUGH_VISITS)


def _fields(record: Record) -> Iterator[Alarm]:
    now = record.now
    for kind, (column, words) in _SHARES.items():
        lost = record.lost.get(kind, 0)
        if _many_lost(kind, lost, now.reread):
            message = f"{lost} of {counted(now.reread, 'article')} read again lost the {_LOST_FIELDS[kind]}"
            yield _alarm(now, kind, message)
        elif rise := _rise(record, kind, column, "read"):
            yield _alarm(now, kind, f"{getattr(now, column)} of {counted(now.read, 'page')} {words}; {rise}")


def _other_authors(record: Record) -> Iterator[Alarm]:
    """Yield an alarm if half of the reread articles have another author: more than edits explain."""
    now, others = record.now, record.lost.get("other_author", 0)
    if others >= 2 and others >= now.reread * _LEAST_OTHER_SHARE:
        message = f"{others} of {counted(now.reread, 'article')} read again have another author than before"
        yield _alarm(now, "author", message)


def _many_lost(kind: str, lost: int, again: int) -> bool:
    """Return whether losses are too many for edits; a single article never loses its author or date by one."""
    enough = lost >= 2 or (lost == again == 1 and kind != "also_read")
    return enough and lost >= again * _LEAST_LOST_SHARE


def _template(record: Record) -> Iterator[Alarm]:
    now = record.now
    if not now.generic:
        return
    first = not any(run.generic for run in record.before)
    if first or _rise(record, "template", "generic", "read"):
        articles = counted(now.generic, "article was", "articles were")
        message = f"uses a template that is not known: {articles} read by the generic extractor"
        yield Alarm(kind="template", host=now.host, message=f"{now.host} {message}.")


def _doubts(record: Record) -> Iterator[Alarm]:
    if pages := sum(record.quarantined.values()):
        message = f"{counted(pages, 'page')} in quarantine ({_by_rule(record.quarantined)})"
        yield _alarm(record.now, "quarantine", f"{message}; the archived copies are kept")
    if articles := sum(record.flagged.values()):
        message = f"{counted(articles, 'new article')} may not be whole ({_by_rule(record.flagged)})"
        yield _alarm(record.now, "flagged", message)


def _by_rule(counts: Mapping[str, int]) -> str:
    """Return counts by the names of their rules, the greatest first."""
    greatest_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{rule} {count:,}" for rule, count in greatest_first)


def _bodies(record: Record) -> Iterator[Alarm]:
    now = record.now
    if rise := _rise(record, "body", "without_body", "first_visits"):
        message = f"{now.without_body} of {counted(now.first_visits, 'new page')} bring no article; {rise}"
        yield _alarm(now, "body", message)


def _same_text(record: Record) -> Iterator[Alarm]:
    """Yield an alarm if many addresses show one page, such as the home page or a notice."""
    now, copies = record.now, record.same_text
    if copies >= _FEWEST_SAME_TEXT and copies >= (now.read - now.reread) * _LEAST_SHARE:
        yield _alarm(now, "same_text", f"{counted(copies, 'new article')} have the same text")


def _down(record: Record) -> Iterator[Alarm]:
    now = record.now
    if not _is_down(now):
        return
    since = [run for run in record.before if run.crawl >= record.raised.get("down", now.crawl)]
    if not since or any(run.visits > run.failed for run in since):
        yield _alarm(now, "down", f"nothing could be fetched in {counted(now.visits, 'visit')}")


def _is_down(now: HostStats) -> bool:
    return bool(now.unreachable) and now.visits == now.failed


def _answers(record: Record) -> Iterator[Alarm]:
    now = record.now
    if _is_down(now):
        return
    for kind, column, words in (
        ("failures", "unreachable", "can't be fetched"),
        ("gone", "gone", "are gone"),
    ):
        if rise := _rise(record, kind, column, "attempted", elsewhere=False):
            yield _alarm(
                now, kind, f"{getattr(now, column)} of {counted(now.attempted, 'page')} {words}; {rise}"
            )


def _lengths(record: Record) -> Iterator[Alarm]:
    now, before = record.now, _since(record, "length")
    new, old = now.read - now.reread, before.read - before.reread
    if new < _FEWEST_NEW_NOW or old < _FEWEST_NEW_BEFORE:
        return
    length, usual = now.characters / new, before.characters / old
    if length < usual * _LENGTH_RATIO:
        message = (
            f"{counted(new, 'new article')} have {length:,.0f} characters each, those before had {usual:,.0f}"
        )
        yield _alarm(now, "length", message)


def _speed(record: Record) -> Iterator[Alarm]:
    now, before = record.now, _since(record, "slow")
    if now.timed_visits < _FEWEST_PAGES or before.timed_visits < _FEWEST_TIMED_VISITS:
        return
    seconds, usual = now.seconds / now.timed_visits, before.seconds / before.timed_visits
    if seconds > _SLOW_SECONDS and seconds > usual * _SLOWER_TIMES:
        yield _alarm(now, "slow", f"it takes {seconds:.1f} seconds to answer, before it was {usual:.1f}")


def _sitemap(record: Record) -> Iterator[Alarm]:
    now, before = record.now, record.named_before or 0
    if now.unread > record.unread_before:
        yield _alarm(
            now, "sitemap", f"{counted(now.unread, 'sitemap')} could not be read whole; the log says why"
        )
    elif now.sitemaps and before >= _FEWEST_NAMED and now.named < before * _LEAST_NAMED_SHARE:
        message = f"its sitemap names {counted(now.named, 'page')}, before it named {before:,}"
        yield _alarm(now, "sitemap", message)


def silence(finds: Sequence[datetime], misses: Sequence[datetime]) -> timedelta | None:
    """Return how long a host has had no new page, in the first run for which that is too long; else None.

    `finds`: times of runs that found new pages; `misses`: times of runs since then that found none, this one last.
    """
    gaps = [later - earlier for earlier, later in pairwise(finds)]
    if len(gaps) < _FEWEST_GAPS or len(misses) < _SILENT_RUNS:
        return None
    too_long = finds[-1] + max(max(gaps) * _GAP_RATIO, _SHORTEST_SILENCE)
    raised_before = len(misses) > _SILENT_RUNS and misses[-2] >= too_long
    return misses[-1] - finds[-1] if misses[-1] >= too_long and not raised_before else None


def _rise(record: Record, kind: str, column: str, of: str, *, elsewhere: bool = True) -> str:
    """Return the share before, in words, if it has risen by more than chance; else an empty string."""
    now, before, where = record.now, _since(record, kind), "before it was"
    if elsewhere and record.elsewhere and not record.before:
        before, where = record.elsewhere, "elsewhere it is"
    some, all_now = getattr(now, column), getattr(now, of)
    had, all_before = getattr(before, column), getattr(before, of)
    if some < _FEWEST_PAGES or some < all_now * _LEAST_SHARE or some * all_before < 2 * had * all_now:
        return ""
    unlikely = _MAX_CHANCE_ONCE_SEEN if had else _MAX_CHANCE
    return f"{where} {had:,} of {all_before:,}" if chance(some, all_now, had, all_before) < unlikely else ""


def chance(some: int, of: int, before: int, of_before: int) -> float:
    """Return the probability of at least `some` of `of`, if nothing has changed (Fisher, one-sided).

    >>> round(chance(3, 3, 0, 7), 4), chance(3, 3, 0, 0)
    (0.0083, 1.0)
    """
    marked, everything = some + before, of + of_before
    ways = _log_ways(everything, of)
    terms = (
        exp(_log_ways(marked, n) + _log_ways(everything - marked, of - n) - ways)
        for n in range(max(some, of + marked - everything), min(of, marked) + 1)
    )
    return min(1.0, round(fsum(terms), 12))


def _log_ways(number: int, chosen: int) -> float:
    return lgamma(number + 1) - lgamma(chosen + 1) - lgamma(number - chosen + 1)


def _since(record: Record, kind: str) -> HostStats:
    """Return the normal counts: the runs before, from the one on that last raised the alarm."""
    runs: Iterable[HostStats] = (run for run in record.before if run.crawl >= record.raised.get(kind, 0))
    return reduce(HostStats.__add__, runs, HostStats(host=record.now.host))


def _alarm(now: HostStats, kind: str, message: str) -> Alarm:
    return Alarm(kind=kind, host=now.host, message=f"{now.host}: {message}.")
