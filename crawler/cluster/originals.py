"""Keep what a worker fetched in WARC files of its own, where the archive's folder of them is on all nodes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from socket import gethostname
from typing import Any, NamedTuple

from scrapy.settings import BaseSettings

from crawler.cluster.wire import pack, pack_rows
from crawler.errors import UsageError
from crawler.frontier.queue import Round
from crawler.frontier.remote import Item
from crawler.items import Exchange, Visit
from pipelines.archive import records
from pipelines.archive.catalog import Catalog
from pipelines.archive.files import HALF_WRITTEN, files_written, forget_pending, read_file
from pipelines.archive.originals import policy_of
from pipelines.archive.records import KeptRecord, KeptRecords, Row
from pipelines.archive.store import Item as StoreItem
from pipelines.archive.warc import FOLDER, Original, WarcWriter, with_record

logger = logging.getLogger(__name__)

Call = Callable[..., Awaitable[Any]]
"""Calls a method of the coordinator, by its name."""

_MARK = PurePosixPath(HALF_WRITTEN) / "crawl"
"""The file by which a worker knows the folder, in it."""


class Mark(NamedTuple):
    """What tells the folder of a crawl from others that have the same path."""

    crawl: int
    text: str


def put_mark(catalog: Catalog) -> Mark:
    """Mark the folder of an archive's WARC files as that of its crawl. Raises OSError."""
    query = "SELECT started_at FROM crawls WHERE id = ?"
    (began,) = catalog.db.execute(query, [catalog.crawl]).fetchone()
    mark = Mark(catalog.crawl, f"crawl {catalog.crawl}, {began}\n")
    folder = catalog.data / FOLDER
    with files_written(folder) as put:
        put(_MARK, mark.text.encode())
    forget_pending(folder)  # it has no row
    return mark


def check_mark(data: Path, mark: Mark) -> None:
    """Raise UsageError if the folder that this node has under the archive's path is not the archive's."""
    folder = data / FOLDER
    try:
        text = read_file(folder, _MARK)
    except OSError:
        text = None
    if text != mark.text.encode():
        raise UsageError(
            f"Node {gethostname()} does not have the archive's folder {folder}, to which its workers are to write: "
            "mount it there under this path, or set warc.shared = false."
        )


def writes_records(settings: BaseSettings) -> bool:
    """Return whether the workers of a crawl write the records of what they fetch."""
    return settings.getbool("ALSOREAD_WARC") and settings.getbool("ALSOREAD_WARC_SHARED")


async def store(call: Call, items: Sequence[tuple[Round | None, StoreItem]]) -> list[str]:
    """Have the coordinator store items, and return each one's kind of result.

    Responses go there as records of WARC files: they are smaller, and the writer of the archive has less to do.
    """
    packed = await asyncio.to_thread(lambda: [(round_, pack(_with_records(item))) for round_, item in items])
    results: list[str] = await call("settle", packed)
    return results


def _with_records(item: StoreItem) -> StoreItem:
    if isinstance(item, Visit):
        return replace(item, exchanges=[with_record(exchange) for exchange in item.exchanges])
    return with_record(item) if isinstance(item, Exchange) else item


class WorkerOriginals:
    """The exchanges of a worker, in WARC files that no other process writes; the coordinator has their rows."""

    def __init__(
        self,
        settings: BaseSettings,
        seeds: Sequence[str],
        mark: Mark,
        call: Call,
    ) -> None:
        """Raise UsageError where the folder is not the archive's."""
        data = Path(settings["ALSOREAD_DATA"])
        check_mark(data, mark)
        info = policy_of(settings, seeds).info | {"crawl": str(mark.crawl)}
        self._warc = WarcWriter(data / FOLDER, mark.crawl, info, shared=True)
        self._call = call
        self._waiting: list[tuple[Sequence[tuple[Round | None, Item]], asyncio.Future[list[str]]]] = []
        self._turn = asyncio.Lock()
        self._disk = ThreadPoolExecutor(1)

    async def settle(self, items: Sequence[tuple[Round | None, Item]]) -> list[str]:
        """Keep the exchanges of items, have the rest stored with their rows, and return each one's kind of result.

        Items that come while others are under way are settled together afterwards, so that the records without a row
        are always the last ones of a file.
        """
        settled: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, settled))
        async with self._turn:
            if not settled.done():
                batches, self._waiting = self._waiting, []
                results = iter(await self._settle([item for batch, _ in batches for item in batch]))
                for batch, future in batches:
                    future.set_result([next(results) for _ in batch])
        return settled.result()

    async def _settle(self, items: Sequence[tuple[Round | None, Item]]) -> list[str]:
        exchanges = [exchange for _, item in items for exchange in _exchanges_of(item)]
        if not exchanges:
            return await store(self._call, items)
        try:
            kept = await self._keep(exchanges)
        except OSError as error:
            # Where the disk is full, the coordinator meets the same error, and ends the crawl over it.
            logger.error("WARC files can't be written here; the coordinator writes the records: %s", error)
            return await store(self._call, items)
        left: list[tuple[Round | None, StoreItem]] = [(None, KeptRecords(kept))]
        end = 0
        for round_, item in items:
            begin, end = end, end + len(_exchanges_of(item))
            left.append((round_, _without_exchanges(item, kept[begin:end])))
        _, *results = await store(self._call, left)
        return results

    async def _keep(self, exchanges: Sequence[Exchange]) -> list[KeptRecord]:
        """Write the records of exchanges, and return when they are on the disk. Raises OSError."""
        rows = [records.row_of(exchange) for exchange in exchanges]
        originals = await self._call("find_originals", pack_rows(rows))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._disk, self._append, exchanges, rows, originals)

    def _append(
        self, exchanges: Sequence[Exchange], rows: Sequence[Row], originals: Sequence[Original | None]
    ) -> list[KeptRecord]:
        kept: list[KeptRecord] = []
        own: dict[str, Original] = {}
        try:
            with self._warc.batch():
                for exchange, row, original in zip(exchanges, rows, originals, strict=True):
                    kept.append(records.append(self._warc, exchange, row, original or own.get(row.digest)))
                    if row.has_payload:
                        own.setdefault(row.digest, Original(row.url, row.fetched_at))
                self._warc.sync()
        except OSError:
            self._warc.close()  # what is in the file now is not certain
            raise
        return kept

    def close(self) -> None:
        """Close the file when what is under way is written. Raises OSError."""
        self._disk.shutdown()
        self._warc.close()


def _exchanges_of(item: Item) -> Sequence[Exchange]:
    if isinstance(item, Visit):
        return item.exchanges
    return [item] if isinstance(item, Exchange) else []


def _without_exchanges(item: Item, kept: Sequence[KeptRecord]) -> StoreItem:
    """Return what is left to store of an item whose exchanges are kept, and their rows sent."""
    if isinstance(item, Exchange):
        return KeptRecords([])
    if isinstance(item, Visit) and kept:
        last = kept[-1].location
        return replace(item, exchanges=[], record_place=(last.file, last.offset))
    return item
