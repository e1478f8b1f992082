"""Store the copies of images: their files, then their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import Exchange, ImageVisit, iso
from pipelines.archive.batches import BatchStore
from pipelines.archive.catalog import last_crawl
from pipelines.archive.files import files_written
from pipelines.archive.originals import Originals, OriginalsPolicy
from pipelines.archive.storage_errors import ends_run, verb_of
from pipelines.images import rows
from pipelines.images.paths import FOLDER, path_of

Item = ImageVisit | Exchange


class ImageStore(BatchStore[Item]):
    """An archive to write visits of images to; their results are their states."""

    def __init__(
        self, db: Database, data: Path, *, retry_delays: Sequence[float], originals: OriginalsPolicy
    ) -> None:
        """`retry_delays`: seconds before the first tries again."""
        super().__init__(db, data, Originals(data, last_crawl(db), originals))
        self._retry_delays = retry_delays

    def commit(self, items: Sequence[Item]) -> list[str | Exception]:
        """Store several visits in one commit; one whose own file can't be written becomes a failure."""
        results = super().commit(items)
        return [self._failed(*pair) for pair in zip(items, results, strict=True)]

    def store(self, items: Sequence[Item]) -> list[str]:
        """Write the files and rows of several visits, and return their states."""
        with files_written(self.data / FOLDER) as put:
            for visit in items:
                if isinstance(visit, Exchange):
                    self.originals.keep(self.db, [visit])
                    continue
                self.originals.keep(self.db, visit.exchanges)
                if visit.type:
                    path = path_of(visit.url, visit.type)
                    put(path, visit.body)
                    facts = {"status": visit.status, "fetched_at": iso(now())}
                    rows.put_copy(self.db, visit.url, path, visit.type, visit.body, **facts)
                else:
                    rows.put_failure(self.db, visit, now(), self._retry_delays)
        return ["kept" if isinstance(item, Exchange) else item.state for item in items]

    def _failed(self, visit: Item, result: str | Exception) -> str | Exception:
        """Store a visit as failed if only its own file could not be written; return the result."""
        if not isinstance(result, OSError) or ends_run(result) or isinstance(visit, Exchange):
            return result
        reason = f"its file can't be {verb_of(result)}: {result.strerror}"
        (stored,) = super().commit([replace(visit, state="failed", reason=reason, type=None, body=b"")])
        return stored
