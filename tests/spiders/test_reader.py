"""No page can stall or end the crawl: the reader gives up on it, and reads the next."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from crawler.responses import Failed
from crawler.spiders.reader import Reader
from crawler.workers.pool import Pool
from tests.site import SEED
from tests.support.processes import descendants, runs

SLOW = b"<html><body>" + b"<div " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">x</div></body></html>"


@pytest.fixture(scope="module")
def html(network: Path) -> bytes:
    return (network / SEED.removeprefix("https://") / "index.html").read_bytes()


def test_a_page_that_takes_too_long_is_given_up(html: bytes) -> None:
    async def read() -> None:
        reader = Reader(time_limit=0.3)
        with pytest.raises(Failed, match=r"takes more than 0\.3 seconds of CPU time"):
            await reader.read(SLOW, SEED)
        reader.time_limit = 20
        assert await reader.read(html, SEED)
        reader.close()

    asyncio.run(read())


def test_time_without_the_processor_does_not_count() -> None:
    async def read() -> None:
        pool = Pool(sleep, 1, time_limit=0.3)
        assert await pool.call(0.6) is None
        pool.close()

    asyncio.run(read())


def test_a_reader_that_dies_is_replaced(html: bytes) -> None:
    async def read() -> None:
        others = descendants()
        reader = Reader(time_limit=20)
        assert await reader.read(html, SEED)
        doomed = asyncio.create_task(reader.read(SLOW * 20, SEED))
        await asyncio.sleep(0)
        for process in descendants() - others:
            os.kill(process, signal.SIGKILL)
        with pytest.raises(Failed, match=r"ended the reader"):
            await doomed
        assert await reader.read(html, SEED)
        reader.close()

    asyncio.run(read())


def test_readers_are_replaced_where_the_process_that_they_are_forked_off_died_too() -> None:
    program = """
import asyncio, os, signal
from crawler.responses import Failed
from crawler.spiders.reader import Reader
from crawler.workers.pool import Pool
from tests.support.processes import descendants
async def read():
    reader = Reader(time_limit=20)
    page = b"<title>Short</title><p>This one is read at once.", "https://x.org/"
    await reader.read(*page)
    for process in descendants():
        os.kill(process, signal.SIGKILL)
    while True:
        try:
            await reader.read(*page)
            break
        except Failed:  # a process that is killed takes a moment to die, and with it what it was given
            continue
    reader.close()
asyncio.run(read())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_readers_end_with_the_program_that_is_killed(tmp_path: Path) -> None:
    page = tmp_path / "slow.html"
    page.write_bytes(SLOW * 20)
    program = f"""
import asyncio, os, pathlib
from crawler.spiders.reader import Reader
from crawler.workers.pool import Pool
from tests.support.processes import descendants
async def read():
    reader = Reader(time_limit=1)
    await reader.read(b"<title>Short</title><p>This one is read at once.", "https://x.org/")
    reading = asyncio.create_task(reader.read(pathlib.Path({str(page)!r}).read_bytes(), "https://x.org/"))
    await asyncio.sleep(0)
    print(*descendants(), flush=True)
    await reading
asyncio.run(read())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        readers = [int(pid) for pid in killed.stdout.readline().split()]
        killed.kill()
    assert readers
    deadline = monotonic() + 20
    while any(runs(pid) for pid in readers):
        assert monotonic() < deadline
        os.sched_yield()
