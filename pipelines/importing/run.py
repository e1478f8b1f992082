"""Run an import: files are parsed in processes of their own, and stored by this one."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from crawler import shutdown
from crawler.errors import Interrupted, UsageError
from crawler.items import Outcome
from crawler.settings import ALSOREAD_HOST_FAILURES, ALSOREAD_RETRY_DELAYS
from crawler.workers.pool import Ended, Pool
from pipelines.analysis.update import update_analyses
from pipelines.archive import host_stats
from pipelines.archive.catalog import Catalog
from pipelines.archive.pending import clear_up
from pipelines.archive.storage_errors import outcome
from pipelines.importing.commit import Committer
from pipelines.importing.files import File, Refused, find
from pipelines.importing.parse import ParsedFile, Parser
from pipelines.importing.preview import Preview, open_or_empty
from pipelines.importing.recorded import ReplayCounts, Replayer
from pipelines.importing.replay import replay_files
from pipelines.importing.replay_commit import ReplayCommitter
from pipelines.importing.warc_files import WarcFile, find_warc_files, is_warc

Refuse = Callable[[str, str], None]
"""Called with the name of a file that can't be used, and why."""

_BATCH_SIZE = 300
"""Files in a commit: the more, the less often the same pages of the catalog are written."""
_FIRST_BATCH_SIZE = 50
"""Files in the first one; each has twice as many as that before, so that storing begins soon."""
_BATCH_BYTES = 8 * 2**20
"""Bytes after which a batch ends before that, so that memory stays small."""
_TIME_LIMIT_SECONDS = 60.0
"""Seconds of CPU time that parsing a batch may take: a hundred times the usual."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is imported, and how it is read."""

    paths: Sequence[Path]
    parser: Parser
    """Reads Markdown files."""
    replayer: Callable[[], Replayer]
    """Makes what reads the responses of WARC files."""
    keep_warc: bool = True
    """The archive gets copies of WARC files."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    files: Counter[str]
    """Markdown files by their kind of ImportedFile; WARC files that can't be read whole are `refused` too."""
    replayed: ReplayCounts | None
    """None where there were no WARC files."""


def import_files(data: Path, sources: Sources, *, reason: str, refused: Refuse) -> Imported:
    """Import the articles of Markdown and WARC files into an archive.

    `refused` is called with the name of each file that can't be used, and why. Raises OSError, sqlite3.Error and
    AlsoreadError, this also where a signal came: what was parsed by then is stored.
    """
    markdown, warcs = _find(sources.paths)  # raises before anything is created
    catalog = Catalog(
        data / "archive.db",
        scope=sources.parser.scope,
        retry_delays=ALSOREAD_RETRY_DELAYS,
        host_failures=ALSOREAD_HOST_FAILURES,
    )
    ended = Outcome.FORCED
    try:
        catalog.begin_crawl(reason=reason)
        committer = Committer(catalog.db, catalog.root, sources.parser.scope, catalog.crawl)
        imported = asyncio.run(_import_all(data, markdown, warcs, sources, committer, catalog, refused))
        update_analyses(catalog.db)
        ended = Outcome.SHUTDOWN if shutdown.is_asked() else Outcome.IMPORTED
    except (OSError, sqlite3.Error) as error:
        ended = outcome(error)
        raise
    finally:
        try:
            catalog.end_crawl(ended, judged=host_stats.hosts_of(catalog.db, catalog.crawl))
            clear_up(catalog.db, data)
        finally:
            catalog.close()
    if ended is Outcome.SHUTDOWN:
        raise Interrupted("Interrupted: what was read is stored; run the same command to resume.")
    return imported


def preview_import(data: Path, sources: Sources, *, refused: Refuse) -> Imported:
    """Count what `import_files` would do, and change nothing. Raises sqlite3.Error and AlsoreadError."""
    with closing(open_or_empty(data / "archive.db")) as db:
        found = _find(sources.paths)
        imported = asyncio.run(_import_all(data, *found, sources, Preview(db), None, refused))
    if shutdown.is_asked():
        raise Interrupted("Interrupted before all files were read; nothing was changed.")
    return imported


def _find(paths: Sequence[Path]) -> tuple[Iterator[File | Refused], list[WarcFile | Refused]]:
    """Return the Markdown and the WARC files of all paths. Raises UsageError at once where there are none."""
    files = chain.from_iterable(find(path) for path in paths if not is_warc(path))
    first = next(files, None)
    warcs = find_warc_files(paths)
    if first is None and not warcs:
        raise UsageError(f"No Markdown or WARC files in {', '.join(map(str, paths))}.")
    return chain([first] if first else [], files), warcs


async def _import_all(
    data: Path,
    markdown: Iterator[File | Refused],
    warcs: Sequence[WarcFile | Refused],
    sources: Sources,
    committer: Committer | Preview,
    catalog: Catalog | None,
    refused: Refuse,
) -> Imported:
    """Import the Markdown files, then the WARC files; until a signal comes."""
    counts = await _import(markdown, sources.parser, committer, refused)
    if not warcs or shutdown.is_asked():
        return Imported(counts, None)

    def refuse(name: str, why: str) -> None:
        counts["refused"] += 1
        refused(name, why)

    for file in warcs:
        if isinstance(file, Refused):
            refuse(*file)
    files = [file for file in warcs if isinstance(file, WarcFile)]
    store = ReplayCommitter(committer.db, data, catalog, refuse, keep_files=sources.keep_warc)
    replayer = sources.replayer()
    try:
        await replay_files(files, replayer, store, sources.parser.scope, refuse)
    finally:
        replayer.close()
    return Imported(counts, store.counts)


async def _import(
    files: Iterator[File | Refused], parser: Parser, committer: Committer | Preview, refused: Refuse
) -> Counter[str]:
    """Return the counts of the files that were imported before a signal came."""
    counts: Counter[str] = Counter()
    first = next(files, None)
    if first is None:
        return counts
    processors = os.cpu_count() or 1
    pool = Pool(parser, processors, _TIME_LIMIT_SECONDS)
    try:
        async for parsed in _parse_all(pool, processors, _batches(chain([first], files))):
            for file in committer.commit(parsed):
                counts[file.kind] += 1
                if file.reason:
                    refused(file.name, file.reason)
    finally:
        pool.close()
    return counts


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
            tasks.append(asyncio.create_task(pool.call_batch(batch, _unparsed)))
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


def _unparsed(file: File | Refused, ended: Ended) -> ParsedFile:
    """Return the result of a file over which the process ended."""
    why = (
        f"takes more than {_TIME_LIMIT_SECONDS:g} seconds of CPU time"
        if ended.timed_out
        else f"broke off: {ended}"
    )
    return ParsedFile(file.name, reason=f"reading it {why}")
