"""One thread that writes to a database, off the event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlite_utils import Database

_T = TypeVar("_T")


class Writer:
    """Runs writing functions one after another; what was asked for meanwhile goes into one commit.

    A function opens its own `db.atomic()`, so that one that raises takes nothing but its own writes back.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._waiting: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()

    def submit(self, work: Callable[..., _T], *args: Any) -> Future[_T]:
        """The function's result, once it is committed."""
        future: Future[_T] = Future()
        self._waiting.append((future, work, args))
        self._thread.submit(self._commit_waiting)
        return future

    def close(self) -> None:
        """Commits what waits."""
        self._thread.shutdown()

    def _commit_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        results: list[tuple[Future[Any], Any]] = []
        try:
            # At once: a transaction that reads first may not write any more when another program wrote meanwhile.
            self._db.execute("BEGIN IMMEDIATE")
            for future, work, args in batch:
                try:
                    results.append((future, work(*args)))
                except Exception as error:
                    future.set_exception(error)
            self._db.commit()
        except Exception as error:
            self._db.rollback()
            for future, *_ in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for future, result in results:
                future.set_result(result)
