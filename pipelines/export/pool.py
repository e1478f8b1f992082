"""The processes in which files are made and written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from crawler.errors import ArchiveError
from crawler.workers.pool import Ended, Process
from pipelines.export.rendering import Copy, Order
from pipelines.export.worker import Done, Writing

Write = Callable[[Sequence[int], Sequence[Order | Copy]], Awaitable[Done]]
"""A call of a Writing, wherever it is."""


def here(writing: Writing) -> Write:
    """Calls it in this process."""

    async def call(wanted: Sequence[int], orders: Sequence[Order | Copy]) -> Done:
        await asyncio.sleep(0)
        return writing(wanted, orders)

    return call


class Elsewhere:
    """Calls it in a process that starts when it is needed."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._process: Process | None = None

    async def __call__(self, wanted: Sequence[int], orders: Sequence[Order | Copy]) -> Done:
        """As a Writing's. Raises ArchiveError also where the process was killed."""
        self._process = self._process or Process(self._writing)
        try:
            done: Done = await self._process.call(wanted, orders)
        except Ended as ended:
            raise ArchiveError(f"Writing broke off, as {ended}: the same command goes on.", 11) from None
        return done

    def close(self) -> None:
        """Ends the process, where it has started."""
        if self._process:
            self._process.kill()
