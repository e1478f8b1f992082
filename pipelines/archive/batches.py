"""Store items in batches, each in one commit; the side of the process that writes.

It imports little: the process loads it while the first pages are fetched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Generic, TypeVar

from sqlite_utils import Database

from pipelines.archive.connection import connect
from pipelines.archive.originals import Originals
from pipelines.archive.pending import committed_together

_Item = TypeVar("_Item")

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


class Committer(Generic[_Item]):
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
