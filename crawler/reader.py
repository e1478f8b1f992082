"""Reads pages in worker processes with a time limit, so that no page can stall or end the crawl."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from concurrent.futures import BrokenExecutor

from pebble import ProcessExpired, ProcessPool

from crawler import worker
from crawler.items import Article
from crawler.outcomes import Failed

_MOST_WORKERS = 4
"""More than the one process that fetches and stores can keep busy."""


_LONGEST_QUEUE = 300.0
"""Seconds until a page is given up that no reader comes to, as when none can start."""


class Reader:
    """A pool of worker processes that run extract()."""

    def __init__(self, time_limit: float) -> None:
        """`time_limit`: seconds that one page may take."""
        self.time_limit = time_limit
        self._pool = _pool()
        assert self._pool.active  # noqa: S101 - asking starts it: the processes load while the crawl opens

    async def read(self, html: bytes, url: str) -> Article | None:
        """What extract() gives. Raises Failed where the page takes too long or breaks the extractor."""
        pool = self._pool
        try:
            reading = pool.schedule(worker.extract, args=[html, url], timeout=self.time_limit)
            return await asyncio.wait_for(asyncio.wrap_future(reading), _LONGEST_QUEUE)
        except TimeoutError:
            raise Failed(f"reading the page takes longer than {self.time_limit:g} seconds") from None
        except ProcessExpired as error:
            raise Failed(f"reading the page ended the reader (exit code {error.exitcode})") from None
        except BrokenExecutor:
            # A worker died between two pages, and pebble gives the pool up.
            if self._pool is pool:
                self._pool = _pool()
            raise Failed("the reader ended before it came to this page") from None
        except Exception as error:
            raise Failed(f"the page can't be read: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Ends the workers."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def _pool() -> ProcessPool:
    return ProcessPool(
        max_workers=min(_MOST_WORKERS, os.cpu_count() or 1),
        initializer=worker.prepare,
        # A forked worker would hold the archive's lock on after a crawl that was killed.
        context=multiprocessing.get_context("spawn"),
    )
