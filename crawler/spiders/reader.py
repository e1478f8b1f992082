"""Read pages in worker processes with a time limit, so that no page can stall or end the crawl."""

from __future__ import annotations

import logging
import os

from crawler import extractors
from crawler.errors import UnreadablePage
from crawler.items import Reading
from crawler.responses import Failed
from crawler.workers.pool import Ended, Pool

logger = logging.getLogger(__name__)

_PROCESSES = 4
"""Readers: more than the one process that fetches can keep busy."""


class Reader:
    """Run extractors.read() in a few processes."""

    def __init__(self, time_limit: float) -> None:
        """`time_limit`: seconds of CPU time that one page may take."""
        self.time_limit = time_limit
        self._pool = Pool(extractors.read, min(_PROCESSES, os.cpu_count() or 1), time_limit)

    async def read(self, html: bytes, url: str, charset: str | None = None) -> Reading:
        """Return the result of extractors.read(). Raises Failed if it takes too long or breaks on the page."""
        try:
            reading: Reading = await self._pool.call(html, url, charset)
        except Ended as ended:
            if ended.timed_out:
                raise Failed(
                    f"reading the page takes more than {self.time_limit:g} seconds of CPU time"
                ) from None
            raise Failed(f"reading the page ended the reader ({ended})") from None
        except UnreadablePage as error:
            raise Failed(f"the page can't be read: {error}") from error
        except Exception as error:
            logger.warning("Reading %s failed: %r", url, error)
            raise Failed("the page can't be read; the log says why") from error
        return reading

    def close(self) -> None:
        """Stop the processes."""
        self._pool.close()
