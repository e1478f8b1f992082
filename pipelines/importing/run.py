"""Run an import: files are parsed in processes of their own, and stored by this one."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from crawler import shutdown
from crawler.errors import Interrupted, UsageError
from crawler.items import Outcome
from crawler.workers.pool import Ended, Pool
from pipelines.archive.catalog import Catalog
from pipelines.archive.pending import clear_up
from pipelines.archive.storage_errors import outcome
from pipelines.importing.commit import Committer
from pipelines.importing.files import File, Refused, find
from pipelines.importing.parse import ParsedFile, Parser
from pipelines.importing.preview import Preview, open_or_empty

Refuse = Callable[[str, str], None]
"""Called with the name of a file that can't be used, and why."""

_BATCH_SIZE = 300
"""Files in a commit: the more, the less often the same pages of the catalog are written."""
_FIRST_BATCH_SIZE = 50
"""Files in the first one; each has twice as many as that before, so that storing begins soon."""
_BATCH_BYTES = 8 * 2**20
"""Bytes after which a batch ends before that, so that memory stays small."""
_TIME_LIMIT_SECONDS = 60.0
"""Seconds that parsing a batch may take: a hundred times the usual."""


def import_files(
    data: Path, paths: Sequence[Path], parser: Parser, *, reason: str, refused: Refuse
) -> Counter[str]:
    """Import the articles of Markdown files into an archive, and count the files by their kind of ImportedFile.

    `refused` is called with the name of each file that can't be used, and why. Raises OSError, sqlite3.Error and
    AlsoreadError, this also where a signal came: what was parsed by then is stored.
    """
    files = _find(paths)  # raises before anything is created
    catalog = Catalog(data / "archive.db", scope=parser.scope, retry_delays=[])
    ended = Outcome.FORCED
    try:
        catalog.begin_crawl(reason=reason)
        committer = Committer(catalog.db, catalog.root, parser.scope, catalog.crawl)
        counts, finished = asyncio.run(_import(files, parser, committer, refused))
        ended = Outcome.IMPORTED if finished else Outcome.SHUTDOWN
    except (OSError, sqlite3.Error) as error:
        ended = outcome(error)
        raise
    finally:
        try:
            catalog.end_crawl(ended)
            clear_up(catalog.db, data)
        finally:
            catalog.close()
    if not finished:
        raise Interrupted("Interrupted: what was read is stored; run the same command to resume.")
    return counts


def preview_import(data: Path, paths: Sequence[Path], parser: Parser, *, refused: Refuse) -> Counter[str]:
    """Count what `import_files` would do, and change nothing. Raises sqlite3.Error and AlsoreadError."""
    with closing(open_or_empty(data / "archive.db")) as db:
        counts, finished = asyncio.run(_import(_find(paths), parser, Preview(db), refused))
    if not finished:
        raise Interrupted("Interrupted before all files were read; nothing was changed.")
    return counts


def _find(paths: Sequence[Path]) -> Iterator[File | Refused]:
    """Yield the Markdown files of all paths. Raises UsageError at once where there are none."""
    files = chain.from_iterable(map(find, paths))
    first = next(files, None)
    if first is None:
        raise UsageError(f"No Markdown files in {', '.join(map(str, paths))}.")
    return chain([first], files)


async def _import(
    files: Iterator[File | Refused], parser: Parser, committer: Committer | Preview, refused: Refuse
) -> tuple[Counter[str], bool]:
    """Return the counts, and whether all files were imported before a signal came."""
    counts: Counter[str] = Counter()
    processors = os.cpu_count() or 1
    pool = Pool(parser, processors, _TIME_LIMIT_SECONDS)
    try:
        async for parsed in _parse_all(pool, processors, _batches(files)):
            for file in committer.commit(parsed):
                counts[file.kind] += 1
                if file.reason:
                    refused(file.name, file.reason)
    finally:
        pool.close()
    return counts, not shutdown.is_asked()


def _batches(files: Iterator[File | Refused]) -> Iterator[list[File | Refused]]:
    batch: list[File | Refused] = []
    size, batch_size = 0, _FIRST_BATCH_SIZE
    for file in files:
        batch.append(file)
        size += file.size if isinstance(file, File) else 0
        if len(batch) == batch_size or size > _BATCH_BYTES:
            yield batch
            batch, size, batch_size = [], 0, min(2 * batch_size, _BATCH_SIZE)
    if batch:
        yield batch


async def _parse_all(
    pool: Pool, width: int, batches: Iterator[list[File | Refused]]
) -> AsyncIterator[list[ParsedFile]]:
    """Parse the batches, in their order; a few of them at a time. Ends early when a signal came."""
    tasks: deque[asyncio.Task[list[ParsedFile]]] = deque()
    try:
        for batch in batches:
            tasks.append(asyncio.create_task(_parse(pool, batch)))
            if len(tasks) > width:
                yield await tasks.popleft()
            if shutdown.is_asked():
                return
        while tasks and not shutdown.is_asked():
            yield await tasks.popleft()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _parse(pool: Pool, batch: list[File | Refused]) -> list[ParsedFile]:
    """Parse a batch, or each of its files by itself where one of them ended the process."""
    try:
        parsed: list[ParsedFile] = await pool.call(batch)
        return parsed
    except Ended as ended:
        if len(batch) == 1:
            why = f"broke off: {ended}"
            if ended.timed_out:
                why = f"takes longer than {_TIME_LIMIT_SECONDS:g} seconds"
            return [ParsedFile(batch[0].name, reason=f"reading it {why}")]
    return [parsed for file in batch for parsed in await _parse(pool, [file])]
