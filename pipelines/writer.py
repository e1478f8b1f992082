"""A process that writes: neither the disk nor the catalog ever holds up the crawl."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any

from pebble import ProcessPool

from crawler.items import Found, Visit
from pipelines.store import Store

_store: Store  # of the writing process


class Writer:
    """Has items stored one batch after another; what is handed in meanwhile goes into one commit."""

    def __init__(self, open_store: Callable[..., Store], *args: Any) -> None:
        """`open_store(*args)` runs in the process, when the first item comes."""
        # Not forked: a process that outlives a killed crawl would hold on to the archive's lock.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPool(1, initializer=_open, initargs=(open_store, args), context=context)
        self._lock = Lock()
        self._waiting: list[tuple[Visit | Found, Future[str]]] = []
        self._busy = False

    def submit(self, item: Visit | Found) -> Future[str]:
        """What the item came to, once it is committed; or the error that kept it out."""
        future: Future[str] = Future()
        with self._lock:
            self._waiting.append((item, future))
        self._send()
        return future

    def close(self) -> None:
        """Ends the process when all is committed."""
        self._pool.close()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _send(self) -> None:
        with self._lock:
            if self._busy or not self._waiting:
                return
            self._busy = True
            batch, self._waiting = self._waiting, []
        futures = [future for _, future in batch]
        committing = self._pool.schedule(_commit, args=[[item for item, _ in batch]])
        committing.add_done_callback(lambda done: self._answer(futures, done))

    def _answer(self, futures: list[Future[str]], done: Future[list[str | Exception]]) -> None:
        error = done.exception()
        results = [error] * len(futures) if error else done.result()
        with self._lock:
            self._busy = False
        self._send()
        for future, result in zip(futures, results, strict=True):
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result or "")


def _open(open_store: Callable[..., Store], args: tuple[Any, ...]) -> None:
    global _store  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the crawl's to answer
    _store = open_store(*args)


def _commit(items: list[Visit | Found]) -> list[str | Exception]:
    return _store.commit(items)
