"""Brings a folder up to date: writes what changed, keeps what people edited, removes what is to go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.export.manifest import Intent, Manifest, Planned, Written
from pipelines.export.plan import Maker
from pipelines.export.pool import Elsewhere, Write, here
from pipelines.export.stopping import run_stoppable
from pipelines.export.target import Folder, Stand
from pipelines.export.worker import Writing

_AT_ONCE = 50
"""Files of a call: they are held in memory."""
_FEW = 200
"""Files that are made here at first: as many as are made in the time that a process takes to start."""
_PROCESSES = 2
"""That make and write the others: more would wait for this one."""

Watch = Callable[[int], None]
"""Told now and then how many articles are done."""


@dataclass(slots=True)
class Result:
    """What an export came to."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    """Paths of files that stand in the way: export did not write them, or they were edited since."""


class Update:
    """One run over a folder. Its methods raise OSError, ArchiveError, and KeyboardInterrupt where it was stopped."""

    def __init__(
        self, folder: Folder, manifest: Manifest, maker: Maker, writing: Callable[[], Writing]
    ) -> None:
        """`writing` gives what writes to the folder: once for each process that does."""
        self._folder, self._manifest, self._maker, self._writing = folder, manifest, maker, writing
        self._result = Result()
        self._done = 0
        self._kept: list[Planned] = []

    def run(self, watch: Watch, *, prune: bool) -> Result:
        """Writes all that was planned; with `prune`, removes the files of articles that were not."""
        run_stoppable(self._write(self._stale(watch)))
        self._result.kept += [item.path for item in sorted(self._kept)]
        self._result.unchanged = self._done - self._result.written - len(self._kept)
        if prune:
            self._manifest.give_up_unchosen()
        for file in self._manifest.given_up():
            self._remove(file)
        return self._result

    def _stale(self, watch: Watch) -> Iterator[list[Planned]]:
        """What is not up to date, of one batch after another."""
        for batch in self._manifest.batches():
            stale = [item for item, file in batch if not self._is_current(item, file)]
            for start in range(0, len(stale) or 1, _AT_ONCE):
                yield stale[start : start + _AT_ONCE]
            self._done += len(batch)
            watch(self._done)

    async def _write(self, batches: Iterator[list[Planned]]) -> None:
        await self._bring(here(self._writing()), _few(batches))
        processes = [Elsewhere(self._writing()) for _ in range(_PROCESSES)]
        tasks = [asyncio.create_task(self._bring(process, batches)) for process in processes]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for process in processes:
                process.close()

    async def _bring(self, write: Write, batches: Iterator[list[Planned]]) -> None:
        """Brings up to date what the batches name. The next one is made while the last one is written."""
        wanted: list[int] = []
        rows: list[int] = []
        for items in batches:
            await asyncio.sleep(0)  # else nothing could stop it where all is up to date
            if not items:
                continue
            orders = self._maker.orders(items)
            done = await write(wanted, [order for order, _ in orders])
            self._manifest.stand(zip(rows, done.stands, strict=True))
            found = zip(items, done.hashes, (mentions for _, mentions in orders), strict=True)
            wanted, rows = self._intend(found)
            self._manifest.commit()  # before the files, so that they are known for ours whatever happens
        if wanted:
            done = await write(wanted, [])
            self._manifest.stand(zip(rows, done.stands, strict=True))

    def _is_current(self, item: Planned, file: Written | None) -> bool:
        if file is None or file.path != item.path or file.key != item.key:
            return False
        return file.stand is not None and file.stand == self._folder.look(item.path)

    def _intend(self, made: Iterable[tuple[Planned, bytes, set[int]]]) -> tuple[list[int], list[int]]:
        """Of files that were made, the numbers of those that are to be written, and their rows in the manifest."""
        intents, stands = [], []
        for number, (item, new, mentions) in enumerate(made):
            stand = self._folder.look(item.path)
            old = self._ours(item.path, stand, new) if stand else None
            if stand and not old:
                self._kept.append(item)
                continue
            intents.append(Intent(item, new, old, mentions))
            stands.append((number, stand if old == new else None))
        rows = self._manifest.intend(intents)
        self._manifest.stand((row, stand) for row, (_, stand) in zip(rows, stands, strict=True) if stand)
        wanted = [(number, row) for row, (number, stand) in zip(rows, stands, strict=True) if not stand]
        self._result.written += len(wanted)
        return [number for number, _ in wanted], [row for _, row in wanted]

    def _ours(self, path: str, stand: Stand, new: bytes) -> bytes | None:
        """The hash of what stands at a path, if the export wrote it or could have; else None."""
        there = self._manifest.at(path)
        if there and stand == there.stand:
            return there.hash
        held = self._folder.digest(path)
        return held if held == new or (there and held in (there.hash, there.was)) else None

    def _remove(self, file: Written) -> None:
        stand = self._folder.look(file.path)
        if stand and not self._manifest.is_planned(file.path):
            ours = stand == file.stand or self._folder.digest(file.path) in (file.hash, file.was)
            if ours:
                self._folder.remove(file.path)
                self._result.removed += 1
            else:
                self._result.kept.append(file.path)
        self._manifest.forget(file.id)


def _few(batches: Iterator[list[Planned]]) -> Iterator[list[Planned]]:
    """Batches with as much as is done before another process has started."""
    made = 0
    while made < _FEW and (batch := next(batches, None)) is not None:
        made += len(batch)
        yield batch
