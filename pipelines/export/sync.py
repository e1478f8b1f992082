"""Bring a folder up to date: write what changed, keep what people edited, remove what is to go."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from typing import NamedTuple

from crawler import shutdown
from crawler.errors import Interrupted
from crawler.workers.pool import Ended, Pool
from pipelines.export.manifest import Manifest, ManifestRow, PendingWrite, PlannedFile
from pipelines.export.plan import Planner
from pipelines.export.target import FileStat, Folder, StagedFile, digest

_STAGED_HERE = 200
"""Files that are staged in this process at first: as many as are made while another starts."""
_PROCESSES = 2
"""Processes that stage the others: more would wait for this one."""
_CALLS = 3
"""Calls of these processes at a time: the next is prepared while they are at work."""

Watch = Callable[[int], None]
"""Called now and then with the number of files that are done."""
Stage = Callable[[Sequence[bytes]], list[StagedFile]]
"""Stages the files of pickled jobs; it may be called in another process."""


@dataclass(slots=True)
class Result:
    """Counts of an export's files."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    """Paths of files in the way: export did not write them, or they were edited since."""


class _StaleFile(NamedTuple):
    """A file that is to be made."""

    file: PlannedFile
    job: bytes
    """All that the file is made of: a pickled Job."""
    key: bytes
    """Hash of that, and of the version that makes the file."""


class Sync:
    """One run over a folder. Raises OSError, Interrupted, and KeyboardInterrupt after a signal."""

    def __init__(self, folder: Folder, manifest: Manifest, planner: Planner, stage: Stage) -> None:
        self._folder, self._manifest, self._planner, self._stage = folder, manifest, planner, stage
        self._version = version("alsoread").encode()
        self._result = Result()
        self._kept: list[PlannedFile] = []

    def run(self, watch: Watch, *, prune: bool) -> Result:
        """Write all that was planned; with `prune`, remove the files of articles that were not."""
        with shutdown.noted():  # a batch is recorded as a whole
            asyncio.run(self._write(self._stale(watch)))
        if shutdown.is_asked():
            raise KeyboardInterrupt
        self._result.kept += [file.place.path for file in sorted(self._kept)]
        self._result.unchanged -= self._result.written + len(self._kept)
        if prune:
            self._manifest.give_up_unplanned()
        for row in self._manifest.given_up():
            self._remove(row)
        return self._result

    def _stale(self, watch: Watch) -> Iterator[list[_StaleFile]]:
        """Give the files that are not up to date, in batches, until a signal asks to stop."""
        for batch in self._manifest.batches():
            if shutdown.is_asked():
                return
            jobs = self._planner.jobs([file for file, _ in batch])
            stale = []
            for (file, row), job in zip(batch, jobs, strict=True):
                packed = pickle.dumps(job, pickle.HIGHEST_PROTOCOL)
                key = digest(self._version + packed)
                if not self._is_current(file, key, row):
                    stale.append(_StaleFile(file, packed, key))
            if stale:
                yield stale
            self._result.unchanged += len(batch)
            watch(self._result.unchanged)

    def _is_current(self, file: PlannedFile, key: bytes, row: ManifestRow | None) -> bool:
        if row is None or row.path != file.place.path or row.key != key:
            return False
        return row.stat is not None and row.stat == self._folder.stat(row.path)

    async def _write(self, batches: Iterator[list[_StaleFile]]) -> None:
        staged = 0
        while staged < _STAGED_HERE and (batch := next(batches, None)) is not None:
            staged += len(batch)
            self._settle(batch, self._stage([job for _, job, _ in batch]))
        batch = next(batches, None)
        if batch is None:
            return
        batches = chain([batch], batches)
        pool = Pool(self._stage, _PROCESSES)
        try:
            await asyncio.gather(*(self._write_with(pool, batches) for _ in range(_CALLS)))
        except Ended as ended:
            raise Interrupted(f"Writing broke off, as {ended}: the same command goes on.") from None
        finally:
            pool.close()

    async def _write_with(self, pool: Pool, batches: Iterator[list[_StaleFile]]) -> None:
        for batch in batches:
            self._settle(batch, await pool.call([job for _, job, _ in batch]))

    def _settle(self, batch: Sequence[_StaleFile], staged: Sequence[StagedFile]) -> None:
        """Put staged files in their places, unless somebody else's file is there."""
        writes: list[tuple[StagedFile, PendingWrite]] = []
        stats: list[tuple[str, FileStat]] = []
        for (file, _, key), new in zip(batch, staged, strict=True):
            path = file.place.path
            current = self._folder.stat(path)
            previous = self._own_hash(path, current, new.hash) if current else None
            if current and not previous:
                self._kept.append(file)
                self._folder.discard(new)
                continue
            writes.append((new, PendingWrite(file.url, path, key, new.hash, previous)))
            if current and previous == new.hash:
                stats.append((path, current))
        # Before the files are in place, so that they are known for ours whatever happens.
        self._manifest.begin_writes([write for _, write in writes])
        for new, write in writes:
            if write.previous_hash == write.hash:
                self._folder.discard(new)
                continue
            self._folder.put_in_place(new, write.path)
            stats.append((write.path, new.stat))
            self._result.written += 1
        self._manifest.end_writes(stats)

    def _own_hash(self, path: str, current: FileStat, new: bytes) -> bytes | None:
        """Return the hash of the file at a path if the export wrote it or could have; else None."""
        row = self._manifest.find(path)
        if row and row.stat == current:
            return row.hash
        hash_ = self._folder.hash(path)
        return hash_ if hash_ == new or (row and hash_ in (row.hash, row.previous_hash)) else None

    def _remove(self, row: ManifestRow) -> None:
        current = self._folder.stat(row.path)
        if current and not self._manifest.is_planned(row.path):
            if current == row.stat or self._folder.hash(row.path) in (row.hash, row.previous_hash):
                self._folder.remove(row.path)
                self._result.removed += 1
            else:
                self._result.kept.append(row.path)
        self._manifest.forget(row.path)
