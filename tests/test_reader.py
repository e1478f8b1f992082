"""No page can stall or end the crawl: the reader gives up on it, and reads the next."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.outcomes import Failed
from crawler.reader import Reader
from tests.site import SEED, build

DEMO = Path(__file__).parents[1] / "data" / "demo"
SLOW = b"<html><body>" + b"<div " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">x</div></body></html>"


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("site")
    build(DEMO, folder)
    return (folder / SEED.removeprefix("https://") / "index.html").read_bytes()


@pytest.fixture
def reader() -> Iterator[Reader]:
    reading = Reader(time_limit=20)
    yield reading
    reading.close()


def test_a_page_that_takes_too_long_is_given_up(html: bytes) -> None:
    async def read() -> None:
        reader = Reader(time_limit=0.3)
        with pytest.raises(Failed, match=r"takes longer than 0\.3 seconds"):
            await reader.read(SLOW, SEED)
        reader.time_limit = 20
        assert await reader.read(html, SEED)
        reader.close()

    asyncio.run(read())


def test_a_reader_that_dies_is_replaced(reader: Reader, html: bytes) -> None:
    async def read() -> None:
        assert await reader.read(html, SEED)
        doomed = asyncio.create_task(reader.read(SLOW * 20, SEED))
        await asyncio.sleep(0)
        for worker in multiprocessing.active_children():
            os.kill(worker.pid or 0, signal.SIGKILL)
        with pytest.raises(Failed, match=r"reader ended|ended the reader"):
            await doomed
        assert await reader.read(html, SEED)

    asyncio.run(read())
