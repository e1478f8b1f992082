"""What the coordinators of a crawl in parts send each other, and when they agree on its end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from scrapy.crawler import Crawler
from scrapy.statscollectors import MemoryStatsCollector

from crawler.cluster.leases import Leases
from crawler.cluster.parts import Activity, Parts, Peer
from crawler.cluster.results import Results
from crawler.cluster.settings import settings_from
from crawler.cluster.wire import InvalidItem, Packed, pack
from crawler.config.units import Part
from crawler.frontier.open_crawl import OpenCrawl
from crawler.items import FoundPages, Visit
from crawler.spiders.also_read import AlsoReadSpider

MINE, THEIRS = "https://one.techidaily.com/bread/", "https://three.techidaily.com/jam/"
"""Pages of the first of two parts and of the second."""


class Side:
    """The coordinator of a part, as far as the other one calls it."""

    def __init__(self, data: Path, part: str, worker_seconds: float = 60) -> None:
        settings = settings_from({"ALSOREAD_DATA": str(data), "ALSOREAD_PART": part})
        stats = MemoryStatsCollector(Crawler(AlsoReadSpider, settings))
        self.crawl = OpenCrawl(settings, [], [], stats)
        leases = Leases(0, 1)
        self.data = data
        self.results = Results(self.crawl, leases, stats, lambda _: None)
        self.peers: dict[int, Peer] = {}
        self.is_open = True
        number, count = map(int, part.split("/"))
        self.parts = Parts(
            Part(number, count),
            self.crawl,
            leases,
            self.results,
            lambda: self.peers,
            start_seconds=0,
            worker_seconds=worker_seconds,
        )

    async def quiet(self) -> Activity | None:
        return self.parts.quiet()

    async def receive(self, items: list[Packed]) -> bool:
        return self.is_open and await self.parts.receive(items)

    def find(self, url: str, depth: int) -> None:
        """Find a page by a link."""
        self.crawl.catalog.add(FoundPages(pages=[(url, None)], depth=depth))

    def fetch_all(self) -> None:
        """Settle what is due."""
        self.crawl.due.rescan()
        while page := self.crawl.next_page(lambda _: True):
            self.crawl.catalog.add(Visit(url=page.url, state="not_article"))

    @property
    def known(self) -> list[tuple[str, int]]:
        rows = self.crawl.due.db.execute("SELECT url, depth FROM pages ORDER BY url").fetchall()
        return [tuple(row) for row in rows]

    async def rest(self) -> bool:
        """Exchange as a coordinator does that has nothing to do; return whether the crawl may end."""
        assert self.crawl.next_due() is None
        ended = self.parts.may_end()
        await self.parts.exchange()
        return ended


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    """Both parts of a crawl, which know each other."""
    one, two = (Side(tmp_path / part[0], part) for part in ("1/2", "2/2"))
    one.peers, two.peers = {2: two}, {1: one}
    yield one, two
    for side in (one, two):
        side.crawl.close("finished", {})


def test_a_page_goes_to_the_part_of_its_host_and_a_shorter_way_to_it_later(
    sides: tuple[Side, Side],
) -> None:
    one, two = sides

    async def exchange() -> None:
        one.find(MINE, 2)
        one.find(THEIRS, 3)
        await one.parts.exchange()
        assert two.known == [(THEIRS, 3)]
        one.find(THEIRS, 1)
        one.fetch_all()
        await one.rest()
        assert two.known == [(THEIRS, 1)]

    asyncio.run(exchange())


def test_a_part_that_starts_gets_all_that_is_known(sides: tuple[Side, Side]) -> None:
    one, two = sides

    async def exchange() -> None:
        one.peers = {}
        one.find(THEIRS, 3)
        await one.parts.exchange()
        assert two.known == []
        one.peers = {2: two}
        await one.parts.exchange()
        assert two.known == [(THEIRS, 3)]

    asyncio.run(exchange())


def test_what_a_part_does_not_take_is_sent_again(sides: tuple[Side, Side]) -> None:
    one, two = sides

    async def exchange() -> None:
        two.is_open = False
        one.find(THEIRS, 3)
        await one.parts.exchange()
        assert two.known == []
        two.is_open = True
        await one.parts.exchange()
        assert two.known == [(THEIRS, 3)]

    asyncio.run(exchange())


def test_a_page_that_a_part_cannot_store_is_not_sent_for_ever(sides: tuple[Side, Side]) -> None:
    one, two = sides
    with closing(sqlite3.connect(two.data / "archive.db")) as db:
        db.execute("CREATE TRIGGER odd BEFORE INSERT ON pages BEGIN SELECT RAISE(ABORT, 'odd'); END")

    async def exchange() -> None:
        one.find(THEIRS, 3)
        await one.parts.exchange()
        one.fetch_all()
        for _ in range(3):
            await two.rest()
            await one.rest()
        assert two.known == []
        assert await one.rest()
        assert await two.rest()

    asyncio.run(exchange())


def test_no_part_ends_before_all_have_nothing_to_do(sides: tuple[Side, Side]) -> None:
    one, two = sides

    async def exchange() -> None:
        two.find(THEIRS, 0)
        for _ in range(3):
            assert not await one.rest()
        two.fetch_all()
        two.find(MINE, 1)
        for _ in range(3):
            await two.rest()
        assert one.known == [(MINE, 1)]
        assert await one.quiet() is None
        assert not await two.rest()
        one.fetch_all()
        for _ in range(3):
            await one.rest()
            await two.rest()
        assert await one.rest()
        assert await two.rest()

    asyncio.run(exchange())


def test_a_part_that_may_fetch_no_more_does_not_wait(sides: tuple[Side, Side]) -> None:
    one, two = sides

    async def exchange() -> None:
        two.find(THEIRS, 0)
        one.find(THEIRS, 0)
        one.crawl.left = 0
        assert not await one.rest(), "something is to be sent"
        assert await one.rest()

    asyncio.run(exchange())


def test_nobody_waits_for_a_part_without_workers(tmp_path: Path) -> None:
    """The workers of those that wait may have all processors of the cluster."""
    side = Side(tmp_path, "1/2", worker_seconds=0)
    side.find(MINE, 0)
    assert asyncio.run(side.quiet()) is not None
    assert side.crawl.next_due() is not None
    side.crawl.close("finished", {})


def test_only_pages_of_the_part_are_taken(sides: tuple[Side, Side]) -> None:
    one, two = sides
    sent = [THEIRS, MINE, "https://three.example/jam/", THEIRS + "?page=2", "javascript:alert(1)"]

    async def exchange() -> None:
        assert await two.receive([pack(FoundPages(pages=[(url, None) for url in sent], asked_for=True))])
        assert two.known == [(THEIRS, 0)]
        assert two.crawl.due.db.execute("SELECT listed FROM pages").fetchall() == [(0,)]
        with pytest.raises(InvalidItem):
            await two.receive([pack(Visit(url=THEIRS, state="gone"))])
        one.results.close()
        assert not await one.receive([pack(FoundPages(pages=[(MINE, None)]))])

    asyncio.run(exchange())
