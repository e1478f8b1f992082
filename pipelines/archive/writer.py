"""Store items in a process of its own, so that the disk never blocks the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from sqlite_utils import Database

from crawler.workers.pool import Process
from pipelines.archive.batches import BatchStore, Committer

_Item = TypeVar("_Item")

_COMMIT_BATCH_SIZE = 12
"""Items that are committed at once: each commit writes out the search index."""
_COMMIT_WAIT_SECONDS = 0.02
"""Seconds that the first item of a batch waits for others."""


class Writer(Generic[_Item]):
    """Store items in batches; items handed in at about the same time share a commit."""

    def __init__(self, path: Path, open_store: Callable[[Database, Path], BatchStore[_Item]]) -> None:
        """Start the process, which takes as long as the first pages.

        `open_store` makes the store of the catalog at `path`, in the process: it is pickled.
        """
        self._commit = Committer(path, open_store)
        self._process = Process(self._commit)
        self._waiting: list[tuple[_Item, asyncio.Future[str]]] = []
        self._enough = asyncio.Event()
        self._storing: asyncio.Task[None] | None = None

    def write(self, item: _Item) -> asyncio.Future[str]:
        """Queue an item. The future has its result once it is committed, or the error."""
        stored: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, stored))
        if len(self._waiting) >= _COMMIT_BATCH_SIZE:
            self._enough.set()
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())
        return stored

    def close(self) -> list[Exception]:
        """Stop the process when it is done, and commit items that are left. Return errors."""
        self._process.close()
        if not self._waiting:
            return []
        results = self._commit([item for item, _ in self._waiting])
        self._commit.close()
        return [result for result in results if isinstance(result, Exception)]

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
