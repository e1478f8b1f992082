"""Makes files and writes them, in the export's own process or in another one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from crawler.process import Ended, Process
from pipelines.errors import ArchiveError
from pipelines.export.folder import Folder, Stand, digest
from pipelines.export.rendering import Copy, Order, content


class Done(NamedTuple):
    """What came of a call."""

    stands: list[Stand]
    """Of the files that were written, in their order."""
    hashes: list[bytes]
    """Of the contents that were made, in their order."""


class Writing:
    """Each call writes of the contents that the last one made, and makes others."""

    def __init__(self, root: Path, flavour: str) -> None:
        self._root, self._flavour = root, flavour
        self._folder: Folder | None = None
        self._made: list[tuple[str, bytes | Copy]] = []
        self._export = os.getpid()

    def __call__(self, wanted: Sequence[int], orders: Sequence[Order | Copy]) -> Done:
        """`wanted`: of the contents that the last call made, those to be written. Raises OSError, ArchiveError."""
        self._folder = self._folder or Folder(self._root)
        stands = []
        for number in wanted:
            if self._export not in (os.getppid(), os.getpid()):
                break  # the export was killed, and the next one may be at work
            path, made = self._made[number]
            held = made.content() if isinstance(made, Copy) else made  # not before: pictures may be large
            stands.append(self._folder.write(path, held))
        self._made = [
            (order.path, order if isinstance(order, Copy) else content(order, self._flavour))
            for order in orders
        ]
        return Done(stands, [made.hash if isinstance(made, Copy) else digest(made) for _, made in self._made])


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
