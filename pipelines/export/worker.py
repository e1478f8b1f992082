"""Makes files and writes them: what another process than the export's own imports, and starts as fast as that."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.export.rendering import Copy, Order, content
from pipelines.export.target import Folder, Stand, digest


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
