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

from crawler.cluster.wire import pack_records
from crawler.errors import UsageError
from crawler.frontier.remote import Item
from crawler.items import Exchange, Visit
from pipelines.archive import records
from pipelines.archive.catalog import Catalog
from pipelines.archive.files import HALF_WRITTEN, files_written, forget_pending, read_file
from pipelines.archive.originals import policy_of
from pipelines.archive.records import KeptRecord, Row
from pipelines.archive.warc import FOLDER, Original, WarcWriter

logger = logging.getLogger(__name__)

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


class WorkerOriginals:
    """The exchanges of a worker, in WARC files that no other process writes; the coordinator has their rows."""

    def __init__(
        self,
        settings: BaseSettings,
        seeds: Sequence[str],
        mark: Mark,
        call: Callable[..., Awaitable[Any]],
    ) -> None:
        """`call` calls a method of the coordinator. Raises UsageError where the folder is not the archive's."""
        data = Path(settings["ALSOREAD_DATA"])
        check_mark(data, mark)
        info = policy_of(settings, seeds).info | {"crawl": str(mark.crawl)}
        self._warc = WarcWriter(data / FOLDER, mark.crawl, info, shared=True)
        self._call = call
        self._turn = asyncio.Lock()
        self._disk = ThreadPoolExecutor(1)

    async def keep(self, items: Sequence[Item]) -> list[Item | None]:
        """Keep the exchanges of items; return the items without them, None for an exchange by itself.

        Visits get the records that they refer to. Where nothing can be written, the items come back as they are, for
        the coordinator, which writes the records or ends the crawl over the same error.
        """
        exchanges = [exchange for item in items for exchange in _exchanges_of(item)]
        try:
            ids = iter(await self._keep(exchanges) if exchanges else [])
        except OSError as error:
            logger.error("WARC files can't be written here; the coordinator writes the records: %s", error)
            return list(items)
        return [_kept(item, [next(ids) for _ in _exchanges_of(item)]) for item in items]

    async def _keep(self, exchanges: Sequence[Exchange]) -> list[int | None]:
        """Return for each exchange the id of the record that has its payload, if any has. Raises OSError.

        One call at a time, so that the records of a file without a row are always its last ones.
        """
        async with self._turn:
            rows = [records.row_of(exchange) for exchange in exchanges]
            originals = await self._call("find_originals", pack_records(rows))
            loop = asyncio.get_running_loop()
            kept = await loop.run_in_executor(self._disk, self._append, exchanges, rows, originals)
            ids: list[int | None] = await self._call("keep", pack_records(kept))
            return ids

    def _append(
        self, exchanges: Sequence[Exchange], rows: Sequence[Row], originals: Sequence[Original | None]
    ) -> list[KeptRecord]:
        """Append exchanges, and return when they are on the disk. Raises OSError."""
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


def _kept(item: Item, ids: Sequence[int | None]) -> Item | None:
    """Return an item of which the exchanges are kept."""
    if isinstance(item, Exchange):
        return None
    return replace(item, exchanges=[], record=ids[-1]) if isinstance(item, Visit) and ids else item
