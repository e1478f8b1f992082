"""Reads pages in processes of their own with a time limit, so that no page can stall or end the crawl."""

from __future__ import annotations

import asyncio
import os

from crawler.extractors import extract
from crawler.items import Article
from crawler.outcomes import Failed
from crawler.process import Ended, Process

_MOST = 4
"""Readers: more than the one process that fetches can keep busy."""


class Reader:
    """Runs extract() in a few processes."""

    def __init__(self, time_limit: float) -> None:
        """`time_limit`: seconds that one page may take."""
        self.time_limit = time_limit
        # The last one back is the first out: it has the most in its caches. None is one that was not needed yet.
        self._idle: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        for _ in range(min(_MOST, os.cpu_count() or 1)):
            self._idle.put_nowait(None)

    async def read(self, html: bytes, url: str) -> Article | None:
        """What extract() gives. Raises Failed where the page takes too long or breaks the extractor."""
        process = await self._idle.get()
        if process is None or process.ended:
            if process:
                process.close()
            process = Process(extract, self.time_limit)
        try:
            article: Article | None = await process.call(html, url)
        except Ended as ended:
            if ended.timed_out:
                raise Failed(f"reading the page takes longer than {self.time_limit:g} seconds") from None
            raise Failed(f"reading the page ended the reader ({ended})") from None
        except Exception as error:
            raise Failed(f"the page can't be read: {type(error).__name__}: {error}") from error
        finally:
            self._idle.put_nowait(process)
        return article

    def close(self) -> None:
        """Ends the processes."""
        while not self._idle.empty():
            if process := self._idle.get_nowait():
                process.kill()
