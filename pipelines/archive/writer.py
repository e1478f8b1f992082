"""Store items in a process of its own, so that the disk never blocks the crawl."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from crawler.items import FoundPages, Visit
from crawler.workers.pool import Process

Item = Visit | FoundPages

_COMMIT_BATCH_SIZE = 6
"""Items that are worth a commit: the search index is written out at each."""
_COMMIT_WAIT_SECONDS = 0.02
"""Seconds that the first of them waits for the others."""


class Writer:
    """Store items in batches; items handed in at about the same time share a commit."""

    def __init__(self, commit: Callable[[Sequence[Item]], list[str | Exception]]) -> None:
        """`commit` runs in the process, which starts at once: it takes as long as the first pages."""
        self._process = Process(commit)
        self._waiting: list[tuple[Item, asyncio.Future[str]]] = []
        self._enough = asyncio.Event()
        self._storing: asyncio.Task[None] | None = None

    def write(self, item: Item) -> asyncio.Future[str]:
        """Return a future of the item's result once it is committed, or of the error that prevented it."""
        stored: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, stored))
        if len(self._waiting) >= _COMMIT_BATCH_SIZE:
            self._enough.set()
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())
        return stored

    def close(self) -> list[Item]:
        """Stop the process when all it was given is committed; return what it was not given."""
        self._process.close()
        return [item for item, _ in self._waiting]

    async def _store(self) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), _COMMIT_WAIT_SECONDS)
            self._enough.clear()
            batch, self._waiting = self._waiting, []
            results: Sequence[str | Exception]
            try:
                results = await self._process.call([item for item, _ in batch])
            except Exception as error:
                results = [error] * len(batch)
            for (_, stored), result in zip(batch, results, strict=True):
                if stored.cancelled():
                    continue
                if isinstance(result, Exception):
                    stored.set_exception(result)
                else:
                    stored.set_result(result)
