"""Workers write the records of what they fetch, where the archive's folder of them is on all nodes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest

from crawler.cluster.coordinator import Coordinator
from crawler.cluster.originals import WorkerOriginals
from crawler.cluster.wire import InvalidItem, unpack
from crawler.errors import UsageError
from crawler.frontier.remote import Item
from crawler.items import FoundPages, Visit
from pipelines.archive.warc import FOLDER
from tests.conftest import ARTICLE
from tests.site import SEED, Site
from tests.support.archives import disorder
from tests.support.clusters import SHARED, WORKER, Cluster, coordinator
from tests.support.killing import Start, gets_to, last_words
from tests.support.originals import exchange
from tests.support.warcs import rows

ONE, TWO, THREE = (f"https://{name}.techidaily.com/" for name in ("one", "two", "three"))
ROW = (ONE, "2026-01-01T00:00:00.000Z", 200, "response", "text/html", "sha1:A")
FILE = "alsoread-000001-20260101000000-00001-node.warc.gz"


@asynccontextmanager
async def parts(data: Path) -> AsyncIterator[tuple[Coordinator, WorkerOriginals]]:
    """A coordinator, and what a worker of it keeps, in one process: without Ray, calls arrive all the same."""
    (data / "logs").mkdir()
    crawl = coordinator(data, data, ALSOREAD_WARC_SHARED=True)

    async def call(method: str, *args: Any) -> Any:
        return await getattr(crawl, method)("1", "first", *args)

    _, seeds, mark = await crawl.admit("1", version("alsoread"))
    assert mark
    originals = WorkerOriginals(crawl.settings, seeds, mark, call)
    try:
        yield crawl, originals
    finally:
        originals.close()
        await crawl.close("finished")


def fetched(url: str, content: bytes, **head: str) -> Visit:
    article = replace(ARTICLE, url=url)
    exchanges = [exchange(url, content, **head)]
    return Visit(url=url, state="stored", status=200, article=article, exchanges=exchanges)


def settled(data: Path, *batches: list[Item]) -> list[list[str]]:
    """Settle batches of items at the same moment; return the results of each."""

    async def settle() -> list[list[str]]:
        async with parts(data) as (_, originals):
            return await asyncio.gather(
                *(originals.settle([(None, item) for item in batch]) for batch in batches)
            )

    return asyncio.run(settle())


def test_visits_refer_to_the_records_that_a_worker_wrote(tmp_path: Path) -> None:
    robots = exchange(f"{ONE}robots.txt", b"")
    found = FoundPages(pages=[(SEED, None)])
    first: list[Item] = [fetched(ONE, b"same"), robots, found, fetched(TWO, b"same")]
    second: list[Item] = [fetched(THREE, b"same")]
    third: list[Item] = [fetched(ONE, b"", head="HTTP/1.1 304 Not Modified")]
    assert settled(tmp_path, first, second, third) == [
        ["new", "kept", "found", "new"],
        ["new"],
        ["fenced"],
    ]
    assert rows(tmp_path, "SELECT url, kind, status FROM warc_records") == [
        (ONE, "response", 200),
        (ONE, "revisit", 304),
        (f"{ONE}robots.txt", "response", 200),
        (THREE, "revisit", 200),
        (TWO, "revisit", 200),
    ]
    assert rows(tmp_path, "SELECT url, record FROM articles") == [(ONE, 1), (THREE, 1), (TWO, 1)]
    assert disorder(tmp_path) == []


def test_records_that_are_sent_again_keep_their_rows(tmp_path: Path) -> None:
    async def send_twice() -> None:
        async with parts(tmp_path) as (crawl, _):
            for _ in range(2):
                await crawl.settle("1", "first", [(None, ("KeptRecords", ([(ROW, (FILE, 300, 200))],)))])

    asyncio.run(send_twice())
    assert rows(tmp_path, "SELECT url, offset FROM warc_records") == [(ONE, 300)]


def test_what_a_worker_can_not_write_goes_to_the_coordinator(tmp_path: Path) -> None:
    async def settle() -> list[str]:
        async with parts(tmp_path) as (_, originals):
            shutil.rmtree(tmp_path / FOLDER)
            return await originals.settle([(None, exchange(ONE, b"one"))])

    assert asyncio.run(settle()) == ["kept"]
    assert rows(tmp_path, "SELECT url, kind FROM warc_records") == [(ONE, "response")]
    assert disorder(tmp_path) == []


def test_another_folder_under_the_same_path_is_refused(tmp_path: Path) -> None:
    async def look() -> None:
        async with parts(tmp_path) as (crawl, _):
            _, seeds, mark = await crawl.admit("2", version("alsoread"))
            assert mark
            (tmp_path / FOLDER / ".writing" / "crawl").write_text("crawl 1, another archive's\n")
            WorkerOriginals(crawl.settings, seeds, mark, crawl.settle)

    with pytest.raises(UsageError, match=re.escape(_sentence(tmp_path))):
        asyncio.run(look())


@pytest.mark.parametrize(
    "location",
    [
        (f"../{FILE}", 300, 200),
        (f"/{FILE}", 300, 200),
        ("alsoread-../../archive.warc.gz", 300, 200),
        ("archive.db", 300, 200),
        (f"{FILE}\n", 300, 200),
        (FILE, -1, 200),
        (FILE, 300, 0),
        (FILE, "300", 200),
        (None, 300, 200),
        (FILE, 300),
    ],
)
def test_what_is_no_place_of_a_record_is_refused(location: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidItem):
        unpack(("KeptRecords", ([(ROW, location)],)))


@pytest.mark.long
def test_a_node_without_the_folder_ends_the_crawl(network: Path, tmp_path: Path, cluster: Cluster) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "alsoread.toml").write_text(SHARED)
    with Site(network) as site:
        crawl = Start([SEED], [*cluster.options(1), "--delay", "1"])(site, data)
        assert gets_to(3, crawl, data)
        (data / FOLDER).rename(tmp_path / "elsewhere")
        for worker in cluster.processes(WORKER):
            os.kill(worker, signal.SIGKILL)
        said = last_words(crawl)
    assert (crawl.returncode, said) == (2, f"alsoread: {_sentence(data)}\n")


def _sentence(data: Path) -> str:
    return (
        f"Node {gethostname()} does not have the archive's folder {data / FOLDER}, to which its workers are to "
        "write: mount it there under this path, or set warc.shared = false."
    )
