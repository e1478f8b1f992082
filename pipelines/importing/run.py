"""One import, from its paths to its outcome: files are read in processes, and written by another."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from crawler import shutdown
from crawler.errors import ArchiveError
from crawler.items import Article
from crawler.workers.pool import Ended, Pool, Process
from pipelines.archive.catalog import Catalog
from pipelines.archive.pending import clear_up
from pipelines.archive.storage_errors import outcome
from pipelines.importing.commit import Outcome, Storing
from pipelines.importing.files import File, Refused, find
from pipelines.importing.parse import Read, Reading, pack

_BATCH = 300
"""Files in a commit: the more, the less often the same pages of the catalog are written."""
_FIRST = 50
"""Files in the first one; each has twice as many as that before, so that the writer need not wait for long."""
_BYTES = 8 * 2**20
"""Bytes after which a batch ends before that: what is under way stays small."""
_TIME_LIMIT = 60.0
"""Seconds that reading a batch may take: a hundred times the usual."""


def import_files(
    data: Path,
    paths: Sequence[Path],
    *,
    reason: str,
    host: str | None,
    scope: Sequence[str],
    read_source: Callable[[Article], Article],
    refused: Callable[[str, str], None],
) -> Counter[str]:
    """Takes the articles of Markdown files into an archive. Returns how many files came to each kind of Outcome.

    `host`: the blog of files without an address; `refused` is called with the name of each file that can't be
    used, and why. Raises OSError, sqlite3.Error and ArchiveError. One that was interrupted has stored what it
    read, and goes on when it is run again.
    """
    catalog = Catalog(data / "archive.db", scope=scope, retry_delays=[])
    ended = "forced"
    try:
        with catalog.db.atomic():
            catalog.db.execute("UPDATE crawls SET reason = ? WHERE id = ?", [reason, catalog.crawl])
        reading = Reading(catalog.root, host, tuple(scope), read_source)
        storing = Storing(catalog.path, scope=scope, crawl=catalog.crawl)
        files = chain.from_iterable(map(find, paths))
        counts, finished = asyncio.run(_import(files, reading, storing, refused))
        ended = "imported" if finished else "shutdown"
    except (OSError, sqlite3.Error) as error:
        ended = outcome(error)
        raise
    finally:
        try:
            clear_up(catalog.db, data)
        finally:
            catalog.close(ended, requests={}, received=0)
    if not finished:
        raise ArchiveError("Interrupted: what was read is stored; run the same command again to go on.", 11)
    return counts


async def _import(
    files: Iterator[File | Refused],
    reading: Reading,
    storing: Storing,
    refused: Callable[[str, str], None],
) -> tuple[Counter[str], bool]:
    """The counts, and whether all files were taken before a signal came."""
    counts: Counter[str] = Counter()
    readers, writer = _Readers(reading), Process(storing)
    try:
        async for packed in readers.read(_batches(files)):
            outcomes: list[Outcome] = await writer.call(packed)
            for outcome in outcomes:
                counts[outcome.kind] += 1
                if outcome.reason:
                    refused(outcome.name, outcome.reason)
    finally:
        writer.close()
        readers.close()
    return counts, not shutdown.is_asked()


def _batches(files: Iterator[File | Refused]) -> Iterator[list[File | Refused]]:
    batch: list[File | Refused] = []
    size, most = 0, _FIRST
    for file in files:
        batch.append(file)
        size += file.size if isinstance(file, File) else 0
        if len(batch) == most or size > _BYTES:
            yield batch
            batch, size, most = [], 0, min(2 * most, _BATCH)
    if batch:
        yield batch


class _Readers:
    """Processes that read, one a processor: what they read goes on as it is packed."""

    def __init__(self, reading: Reading) -> None:
        self._most = os.cpu_count() or 1
        self._pool = Pool(reading.packed, self._most, _TIME_LIMIT)

    async def read(self, batches: Iterator[list[File | Refused]]) -> AsyncIterator[list[bytes]]:
        """What the batches came to, in their order; a few of them are under way at a time."""
        under_way: deque[asyncio.Task[list[bytes]]] = deque()
        try:
            for batch in batches:
                under_way.append(asyncio.create_task(self._read(batch)))
                if len(under_way) > self._most:
                    yield await under_way.popleft()
                if shutdown.is_asked():
                    return
            while under_way and not shutdown.is_asked():
                yield await under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _read(self, batch: list[File | Refused]) -> list[bytes]:
        try:
            packed: bytes = await self._pool.call(batch)
            return [packed]
        except Ended as ended:
            if len(batch) == 1:
                why = (
                    f"takes longer than {_TIME_LIMIT:g} seconds" if ended.timed_out else f"broke off: {ended}"
                )
                return [pack([Read(batch[0].name, reason=f"reading it {why}")])]
        return [packed for file in batch for packed in await self._read([file])]

    def close(self) -> None:
        """Ends the processes."""
        self._pool.close()
