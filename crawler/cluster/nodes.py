"""Spread work that needs no archive over all nodes of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from crawler.cluster.connection import connected
from crawler.cluster.pool import ClusterPool
from crawler.settings import ALSOREAD_READ_TIMEOUT
from crawler.workers.batches import in_order
from crawler.workers.pool import Ended

if TYPE_CHECKING:
    from types import ModuleType

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Nodes:
    """All nodes of a cluster, to which this connects when they are first needed."""

    def __init__(self, address: str, workers: int) -> None:
        """As for `connected`; `workers`: tasks at a time, 0 for one a processor."""
        self._address, self._workers = address, workers
        self._connection = ExitStack()

    @cached_property
    def _ray(self) -> ModuleType:
        return self._connection.enter_context(connected(self._address, self._workers))

    def pool(self, answer: Callable[..., list[Any]]) -> ClusterPool:
        """Return processes that answer as `answer` does, with the time limit of a page. Raises ClusterError."""
        return ClusterPool(self._ray, answer, self._workers, ALSOREAD_READ_TIMEOUT)

    def spread(
        self, function: Callable[[list[_Item]], list[list[_Answer]]], batches: Iterable[list[_Item]]
    ) -> Iterator[list[list[_Answer]]]:
        """Yield the results of a function for batches, as `map` does; an item that ends its process has none.

        Ends early when a signal came. Raises AlsoreadError.
        """

        async def following() -> tuple[int, list[list[_Answer]]] | None:
            return await anext(results, None)

        with asyncio.Runner() as runner:
            results = in_order(self.pool(function), iter(batches), _nothing)
            while result := runner.run(following()):
                yield result[1]

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


def _nothing(_item: object, _ended: Ended) -> list[Any]:
    return []
