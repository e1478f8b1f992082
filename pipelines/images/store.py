"""Store the copy of an image: the file, then its row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals

from crawler.clock import now
from crawler.items import ImageVisit, iso
from pipelines.archive.files import files_written, forget_pending
from pipelines.archive.storage_errors import ends_run, verb_of
from pipelines.archive.store import connect
from pipelines.images import rows
from pipelines.images.paths import FOLDER, path_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class StorePictures:
    """Store every image's visit, and count it in the statistics as `pictures/STATE`."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats: Any = crawler.stats
        self._data = Path(crawler.settings["ALSOREAD_DATA"])
        self._retry_delays = crawler.settings.getlist("ALSOREAD_RETRY_DELAYS")
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Whoever runs the spider holds the archive."""
        self._db = connect(self._data / "archive.db")

    def process_item(self, item: ImageVisit) -> ImageVisit:
        """Store a picture, whole and on the disk. Raises OSError and sqlite3.Error where no more can be stored."""
        if item.type:
            path = path_of(item.url, item.type)
            try:
                with files_written(self._data / FOLDER) as put:
                    put(path, item.body)
            except OSError as error:
                if ends_run(error):
                    raise
                reason = f"its file can't be {verb_of(error)}: {error.strerror}"
                item = replace(item, state="failed", reason=reason, type=None, body=b"")
        with self._db.atomic():
            if item.type:
                facts = {"status": item.status, "fetched_at": iso(now())}
                rows.put_copy(self._db, item.url, path, item.type, item.body, **facts)
            else:
                rows.put_failure(self._db, item, now(), self._retry_delays)
        forget_pending(self._data / FOLDER)
        self._stats.inc_value(f"pictures/{item.state}")
        return item

    def spider_closed(self) -> None:
        """Also where the spider was stopped at once."""
        self._db.close()
