"""Call processes for many batches of items, as many at a time as keep all of them busy."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any, Protocol, TypeVar

from crawler import shutdown
from crawler.workers.pool import Ended

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_SIGNAL_SECONDS = 0.5
"""Seconds between two looks for a signal while a batch is answered."""


class BatchPool(Protocol):
    """Processes that answer for batches: of this machine, or of a cluster."""

    @property
    def most(self) -> int:
        """Return how many answer at a time."""

    async def call_batch(self, batch: list[Any], ended: Callable[..., Any]) -> list[Any]:
        """Return the answers for a batch, as Pool.call_batch does."""


async def in_order(
    pool: BatchPool, batches: Iterator[list[_Item]], ended: Callable[[_Item, Ended], _Answer]
) -> AsyncIterator[tuple[int, list[_Answer]]]:
    """Yield the size of each batch and the answers for it, in their order. Ends early when a signal came."""
    tasks: deque[tuple[int, asyncio.Task[list[_Answer]]]] = deque()
    try:
        while not shutdown.is_asked():
            for batch in islice(batches, max(0, 2 * pool.most - len(tasks))):
                tasks.append((len(batch), asyncio.create_task(pool.call_batch(batch, ended))))
            if not tasks:
                return
            size, task = tasks[0]
            if (await asyncio.wait([task], timeout=_SIGNAL_SECONDS))[0]:
                tasks.popleft()
                yield size, task.result()
    finally:
        for _, task in tasks:
            task.cancel()
        await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
