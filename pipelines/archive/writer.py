"""Store items in a process of its own, so that the disk never blocks the event loop."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Generic, TypeVar

from sqlite_utils import Database

from crawler.workers.pool import Process
from pipelines.archive.connection import connect
from pipelines.archive.originals import Originals
from pipelines.archive.pending import committed_together

_Item = TypeVar("_Item")

_COMMIT_BATCH_SIZE = 12
"""Items that are committed at once: each commit writes out the search index."""
_COMMIT_WAIT_SECONDS = 0.02
"""Seconds that the first item of a batch waits for others."""
_CHECKPOINT_SECONDS = 5.0
"""Seconds between two checkpoints; a power cut may undo what was committed since the last one."""


class BatchStore(ABC, Generic[_Item]):
    """Store items in an archive, several in one commit."""

    def __init__(self, db: Database, data: Path, originals: Originals) -> None:
        self.db, self.data, self.originals = db, data, originals

    def commit(self, items: Sequence[_Item]) -> list[str | Exception]:
        """Store several items in one commit. Return each one's kind of result, or what prevented it."""
        try:
            with self.originals.batch(), committed_together(self.db, self.data):
                results: list[str | Exception] = [*self.store(items)]
                self.originals.sync()
                return results
        except Exception as error:
            if len(items) == 1:
                return [error]
        # One item failed: store each by itself. A savepoint for each would write out the search index each time.
        return [result for item in items for result in self.commit([item])]

    @abstractmethod
    def store(self, items: Sequence[_Item]) -> list[str]:
        """Write the files and rows of several items, and return each one's kind of result."""


class _Committer(Generic[_Item]):
    """Commit items, in whichever process, to a store that is opened when the first ones come."""

    def __init__(self, path: Path, open_store: Callable[[Database, Path], BatchStore[_Item]]) -> None:
        self._path, self._open_store = path, open_store
        self._store: BatchStore[_Item] | None = None
        self._checkpointed_at = monotonic()

    def __call__(self, items: Sequence[_Item]) -> list[str | Exception]:
        """Return the result of each item."""
        self._store = self._store or self._open_store(connect(self._path), self._path.parent)
        results = self._store.commit(items)
        # By the clock: by size, SQLite would sync twice every few dozen pages.
        if monotonic() - self._checkpointed_at > _CHECKPOINT_SECONDS:
            self._store.db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._checkpointed_at = monotonic()
        return results

    def close(self) -> None:
        """Close the catalog."""
        if self._store:
            self._store.originals.close()
            self._store.db.close()


class Writer(Generic[_Item]):
    """Store items in batches; items handed in at about the same time share a commit."""

    def __init__(self, path: Path, open_store: Callable[[Database, Path], BatchStore[_Item]]) -> None:
        """Start the process, which takes as long as the first pages.

        `open_store` makes the store of the catalog at `path`, in the process: it is pickled.
        """
        self._commit = _Committer(path, open_store)
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
