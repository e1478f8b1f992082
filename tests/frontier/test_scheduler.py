"""What is due is handed out once, host by host in turn, and nothing that is due is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crawler.frontier.budgets import Budgets
from crawler.frontier.queue import DuePages
from crawler.items import Article, FoundPages, Link, Visit, iso
from pipelines.archive.catalog import Catalog

ANY_TIME = "9999"


def add(catalog: Catalog, host: str, number: int, depth: int = 0) -> None:
    pages = [(f"https://{host}.techidaily.com/{n}/", None) for n in range(number)]
    catalog.add(FoundPages(pages=pages, depth=depth))


def everywhere(_: str) -> bool:
    return True


@pytest.fixture
def due(catalog: Catalog) -> Iterator[DuePages]:
    pages = DuePages(catalog.path, wanted=everywhere, max_depth=9)
    yield pages
    pages.close()


def take(due: DuePages, most: int = 10_000, now: str = ANY_TIME) -> list[str]:
    taken: list[str] = []
    while len(taken) < most and (page := due.next(now, free=everywhere)):
        taken.append(page.url.removeprefix("https://").replace(".techidaily.com", "").strip("/"))
    return taken


def test_each_host_has_its_turn(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "huge", 500)
    add(catalog, "small", 3)
    assert take(due, 6) == ["huge/0", "small/0", "huge/1", "small/1", "huge/2", "small/2"]


def test_every_page_once_and_first_found_first(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "one", 300)
    assert take(due) == [f"one/{n}" for n in range(300)]


def test_pages_that_are_found_meanwhile_follow(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "one", 40)
    assert len(take(due)) == 40
    add(catalog, "one", 42)
    add(catalog, "two", 1)
    assert sorted(take(due)) == ["one/40", "one/41", "two/0"]


def test_a_busy_host_does_not_hold_the_others_up(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "slow", 5)
    add(catalog, "quick", 2)
    free = "quick.techidaily.com".__eq__
    pages = [due.next(ANY_TIME, free) for _ in range(3)]
    assert [page and page.url for page in pages] == [
        "https://quick.techidaily.com/0/",
        "https://quick.techidaily.com/1/",
        None,
    ]


def test_a_host_with_a_retry_after_is_left_alone(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "one", 2)
    url = "https://one.techidaily.com/0/"
    catalog.add(Visit(url=url, state="failed", status=429, reason="too many", retry_after=600))
    now = datetime.now(UTC)
    assert take(due, now=iso(now + timedelta(seconds=500))) == []
    (moment,) = catalog.db.execute("SELECT not_before FROM hosts").fetchone()
    assert due.restart(until=ANY_TIME) == moment, "not before the host may be asked"
    assert take(due, now=iso(now + timedelta(seconds=700))) == ["one/1", "one/0"]


def test_only_wanted_hosts_and_depths(catalog: Catalog) -> None:
    add(catalog, "one", 2)
    add(catalog, "two", 2)
    add(catalog, "one-deep", 2, depth=5)
    due = DuePages(catalog.path, wanted=lambda host: host.startswith("one"), max_depth=4)
    assert take(due) == ["one/0", "one/1"]
    assert due.count(ANY_TIME) == 2
    due.close()


def test_a_failed_page_is_due_again_in_its_time(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "one", 1)
    assert take(due) == ["one/0"]
    for _ in range(2):  # the fixture's second wait is a minute
        catalog.add(Visit(url="https://one.techidaily.com/0/", state="failed", reason="no answer"))
    now = datetime.now(UTC)
    due.rescan()
    assert take(due, now=iso(now)) == []
    assert due.restart(until=iso(now + timedelta(seconds=30))) is None
    moment = due.restart(until=iso(now + timedelta(seconds=90)))
    assert moment == catalog.db.execute("SELECT due_at FROM pages").fetchone()[0]
    assert moment
    assert moment > iso(now + timedelta(seconds=30))
    assert take(due, now=iso(now + timedelta(seconds=90))) == ["one/0"]


def test_what_was_not_settled_is_handed_out_again_after_a_restart(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "one", 3)
    assert len(take(due)) == 3
    assert take(due) == []
    assert due.restart(until=ANY_TIME)
    assert len(take(due)) == 3


def test_memory_does_not_grow_with_the_queue(catalog: Catalog, due: DuePages) -> None:
    add(catalog, "one", 5_000)
    take(due, 1)
    assert sum(len(host.queue) for host in due.hosts.values()) < 100
    assert due.count(ANY_TIME) == 5_000


def test_what_sitemaps_and_seeds_name_is_not_in_the_budget(catalog: Catalog) -> None:
    listed = [(f"https://one.techidaily.com/listed-{n}/", None) for n in range(9)]
    add(catalog, "one", 5)
    catalog.add(FoundPages(pages=listed, host="one.techidaily.com", depth=3))
    catalog.add(FoundPages(pages=[("https://one.techidaily.com/seed/", None)], asked_for=True))
    due = DuePages(catalog.path, everywhere, 9, budgets=Budgets(2, 2, 1))
    taken = [page.removeprefix("one/") for page in take(due)]
    assert sorted(taken) == ["0", "1", *(f"listed-{n}" for n in range(9)), "seed"]
    assert due.restart(until="9999"), "what was not settled comes again"
    assert len(take(due)) == 10
    due.close()


def test_hosts_that_were_reached_before_are_not_in_the_budget(catalog: Catalog) -> None:
    for host in ("one", "two", "three"):
        add(catalog, host, 1)
    catalog.db.execute("UPDATE pages SET fetched_at = found_at WHERE host GLOB 't*'")
    add(catalog, "four", 1, depth=1)
    due = DuePages(catalog.path, everywhere, 9, budgets=Budgets(9, 9, 1))
    assert sorted(take(due)) == ["one/0", "three/0", "two/0"]
    assert due.beyond == {"four.techidaily.com"}
    due.close()


def test_new_hosts_near_the_seeds_come_before_those_behind_hosts_without_end(catalog: Catalog) -> None:
    for host, depth in ("a-deep", 5), ("near", 2), ("b-deep", 4), ("c-deep", 3):
        add(catalog, host, 1, depth)
    due = DuePages(catalog.path, everywhere, 9, budgets=Budgets(9, 9, 2))
    catalog.add(FoundPages(pages=[("https://trap.techidaily.com/a/a/a/", None)]))
    assert take(due) == ["near/0", "c-deep/0"]
    assert due.beyond == {"a-deep.techidaily.com", "b-deep.techidaily.com"}
    due.close()


def test_known_hosts_have_every_other_turn(catalog: Catalog) -> None:
    for host in ("one", "two"):
        add(catalog, host, 40)
    catalog.db.execute("UPDATE pages SET fetched_at = found_at")
    for number in range(1_000):
        add(catalog, f"made-up-{number}", 1, depth=1)
    due = DuePages(catalog.path, everywhere, 9)
    hosts = [page.partition("/")[0] for page in take(due, 160)]
    assert hosts.count("one") == hosts.count("two") == 40
    due.close()


def test_no_host_waits_for_the_thousands_that_another_one_makes_up(
    catalog: Catalog, article: Callable[..., Article]
) -> None:
    def link(source: str, targets: str, number: int) -> None:
        links = [Link(f"https://{targets}-{n}.techidaily.com/0/", "More") for n in range(number)]
        url = f"https://{source}.techidaily.com/0/"
        catalog.add(Visit(url=url, state="stored", article=article(url=url, also_read=links)))

    add(catalog, "blog", 1)
    add(catalog, "trap", 1)
    link("trap", "made-up", 3_000)
    link("made-up-0", "made-up-too", 3_000)
    link("blog", "good", 20)
    due = DuePages(catalog.path, everywhere, 9, budgets=Budgets(9, 9, 100))
    taken = take(due)
    assert {f"good-{number}/0" for number in range(20)} <= set(taken)
    assert len(due.beyond) > 5_000
    due.close()
