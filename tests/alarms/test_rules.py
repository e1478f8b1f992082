"""What counts as a fault of a host, against the runs before it: one case a rule, and what chance may bring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.alarms.rules import Record, judge_facts, judge_shares, silence
from pipelines.archive.alarms import Alarm
from pipelines.archive.host_stats import HostStats

HOST = "one.techidaily.com"


def judge(seen: Record) -> list[Alarm]:
    return [*judge_facts(seen), *judge_shares(seen)]


def ran(**counts: Any) -> HostStats:
    """What a run found; new articles have 4,800 characters."""
    return HostStats(
        **{"host": HOST, "characters": 4800 * (counts.get("read", 0) - counts.get("reread", 0)), **counts}
    )


def record(now: dict[str, Any], *before: dict[str, Any], **facts: Any) -> Record:
    """A run and those before it, the newest first."""
    earlier = [ran(**{"crawl": len(before) - n, **counts}) for n, counts in enumerate(before)]
    return Record(now=ran(crawl=len(before) + 1, **now), before=earlier, **facts)


USUAL = {"visits": 40, "attempted": 40, "read": 40, "first_visits": 40, "timed_visits": 40, "seconds": 8.0}


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (
            record({"read": 3, "without_author": 3}, USUAL),
            "3 of 3 pages have no author; before it was 0 of 40",
        ),
        (record({"read": 9, "without_date": 5}, USUAL), "5 of 9 pages have no date; before it was 0 of 40"),
        (
            record({"read": 9, "without_title": 9}, USUAL | {"without_title": 2}),
            "9 of 9 pages have no title; before it was 2 of 40",
        ),
        (
            record({"read": 3, "without_also_read": 3}, elsewhere=ran(read=50, without_also_read=0)),
            "3 of 3 pages have no also-read list; elsewhere it is 0 of 50",
        ),
        (
            record({"first_visits": 4, "without_body": 4}, USUAL),
            "4 of 4 new pages bring no article; before it was 0 of 40",
        ),
        (
            record({"read": 5, "reread": 5}, USUAL, lost={"author": 2}),
            "2 of 5 articles read again lost the author",
        ),
        (
            record({"read": 1, "reread": 1}, USUAL, lost={"date": 1}),
            "1 of 1 article read again lost the date",
        ),
        (
            record({"read": 3, "reread": 3}, USUAL, lost={"other_author": 2}),
            "2 of 3 articles read again have another author than before",
        ),
        (
            record({"visits": 4, "failed": 3}, USUAL, quarantined={"cut-off": 1, "shrunk": 2}),
            "3 pages in quarantine (shrunk 2, cut-off 1); the archived copies are kept",
        ),
        (
            record({"read": 9}, USUAL, flagged={"cut-off": 1}),
            "1 new article may not be whole (cut-off 1)",
        ),
        (
            record({"read": 30}, USUAL, same_text=12),
            "12 new articles have the same text",
        ),
        (
            record({"visits": 6, "failed": 4, "attempted": 5, "unreachable": 4}, USUAL),
            "4 of 5 pages can't be fetched; before it was 0 of 40",
        ),
        (
            record({"visits": 3, "failed": 3, "attempted": 1, "unreachable": 1}, USUAL),
            "nothing could be fetched in 3 visits",
        ),
        (record({"attempted": 5, "gone": 5}, USUAL), "5 of 5 pages are gone; before it was 0 of 40"),
        (
            record({"read": 5, "characters": 3000}, USUAL),
            "5 new articles have 600 characters each, those before had 4,800",
        ),
        (
            record({"timed_visits": 3, "seconds": 9.0}, USUAL),
            "it takes 3.0 seconds to answer, before it was 0.2",
        ),
        (
            record({"sitemaps": 1, "named": 4}, USUAL, named_before=41),
            "its sitemap names 4 pages, before it named 41",
        ),
        (
            record({"unread": 1}, USUAL, named_before=41),
            "1 sitemap could not be read whole; the log says why",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_is_told_once_and_by_its_host(seen: Record, told: str) -> None:
    assert [alarm.message for alarm in judge(seen)] == [f"{HOST}: {told}."]


@pytest.mark.parametrize(("number", "were"), [(1, "1 article was"), (3, "3 articles were")])
def test_a_template_that_was_never_seen_is_told(number: int, were: str) -> None:
    (alarm,) = judge(record({"read": 9, "generic": number}, USUAL))
    expected = f"{HOST} uses a template that is not known: {were} read by the generic extractor."
    assert (alarm.kind, alarm.message) == ("template", expected)


@pytest.mark.parametrize(
    "seen",
    [
        record({}, USUAL),
        record({"read": 40, "reread": 40}, USUAL),
        record({"read": 2, "without_author": 2}, USUAL),
        record({"read": 9, "without_also_read": 3}, USUAL | {"without_also_read": 7}),
        record({"read": 3, "without_also_read": 3}, USUAL | {"without_also_read": 40}),
        record({"read": 200, "without_author": 3}, USUAL),
        record({"read": 9, "reread": 9}, USUAL, lost={"author": 1}),
        record({"read": 1, "reread": 1}, USUAL, lost={"also_read": 1}),
        record({"read": 30, "reread": 30}, USUAL, lost={"also_read": 3}),
        record({"read": 9, "reread": 9}, USUAL, lost={"other_author": 4}),
        record({"read": 3, "generic": 3}, USUAL | {"generic": 40}),
        record({"visits": 9, "failed": 2, "attempted": 9, "unreachable": 2}, USUAL),
        record({"visits": 1, "failed": 1}, USUAL),
        record({"read": 4, "characters": 40}, USUAL),
        record({"timed_visits": 2, "seconds": 20.0}, USUAL),
        record({"timed_visits": 9, "seconds": 17.0}, USUAL),
        record({"sitemaps": 1, "named": 30}, USUAL, named_before=41),
        record({"sitemaps": 1, "named": 0}, USUAL),
        record({"unread": 1}, USUAL, unread_before=1),
    ],
    ids=lambda seen: str({name: n for name in HostStats.__slots__[2:] if (n := getattr(seen.now, name))}),
)
def test_what_chance_may_bring_is_not_told(seen: Record) -> None:
    assert judge(seen) == []


def test_what_was_told_is_normal_from_then_on() -> None:
    broken = {"read": 9, "without_author": 9}
    assert [alarm.kind for alarm in judge(record(broken, broken, USUAL))] == ["author"]
    assert judge(record(broken, broken, USUAL, raised={"author": 2})) == []


def test_a_host_that_stays_down_is_told_once_and_again_when_it_falls_again() -> None:
    down = {"visits": 3, "failed": 3, "attempted": 1, "unreachable": 1}
    assert judge(record(down, down, USUAL, raised={"down": 2})) == []
    assert [alarm.kind for alarm in judge(record(down, USUAL, down, USUAL, raised={"down": 2}))] == ["down"]


def day(number: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def test_a_host_that_falls_silent_is_told_on_one_day() -> None:
    weekly = [day(7 * n) for n in range(6)]
    silent_since = [weekly[-1] + timedelta(days=n) for n in range(1, 60)]
    told = {n: days for n in range(1, 60) if (days := silence(weekly, silent_since[:n]))}
    assert told == {21: timedelta(days=21)}
    assert silence(weekly[:4], silent_since) is None, "too few to know"
    asleep = [weekly[-1] + timedelta(days=n) for n in (40, 41, 42, 43)]
    assert [n for n in range(1, 5) if silence(weekly, asleep[:n])] == [3], (
        "one look after a long sleep says nothing"
    )
