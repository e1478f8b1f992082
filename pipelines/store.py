"""The last stages: store every item in the archive, by the writer process."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, signals

from crawler.items import ImageVisit
from crawler.signals import archive_opened
from pipelines.archive.catalog import Catalog
from pipelines.archive.originals import policy_of
from pipelines.archive.writer import Writer
from pipelines.images.store import ImageStore

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class StoreInCatalog:
    """Write an item's file, then its page, article and links in one transaction."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build the stage for a crawl."""
        stage = cls()
        crawler.signals.connect(stage.archive_opened, archive_opened)
        crawler.signals.connect(stage.response_downloaded, signals.response_downloaded)
        return stage

    def archive_opened(self, catalog: Catalog) -> None:
        """Store into this catalog."""
        self.catalog = catalog

    def response_downloaded(self, request: Request) -> None:
        """Keep the exchange of a robots.txt or a sitemap; a page's comes with its visit."""
        if "page" not in request.meta:
            for exchange in request.meta.pop("exchanges", ()):
                self.catalog.write(exchange)

    async def process_item(self, item: Any) -> Any:
        """Return the item when it is committed."""
        await self.catalog.write(item)
        return item


class StoreImages:
    """Write an image's copy, then its row, and count its visit in the statistics as `images/STATE`."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats: Any = crawler.stats
        self._path = Path(crawler.settings["ALSOREAD_DATA"]) / "archive.db"
        self._retry_delays = crawler.settings.getlist("ALSOREAD_RETRY_DELAYS")
        self._originals = policy_of(crawler.settings)
        crawler.signals.connect(self.spider_closed, signals.spider_closed)
        crawler.signals.connect(self.response_downloaded, signals.response_downloaded)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build the stage for a run."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Start the writer process; whoever runs the spider holds the archive."""
        open_store = partial(ImageStore, retry_delays=self._retry_delays, originals=self._originals)
        self._writer = Writer(self._path, open_store)

    def response_downloaded(self, request: Request) -> None:
        """Keep the exchange of a robots.txt; an image's comes with its visit."""
        if "image" not in request.meta:
            for exchange in request.meta.pop("exchanges", ()):
                self._writer.write(exchange).add_done_callback(_ignore_error)

    async def process_item(self, item: ImageVisit) -> ImageVisit:
        """Return the item when it is committed. Raises OSError and sqlite3.Error where nothing can be stored."""
        self._stats.inc_value(f"images/{await self._writer.write(item)}")
        return item

    def spider_closed(self) -> None:
        """Store what is left, also where the run was stopped at once."""
        for error in self._writer.close():
            raise error


def _ignore_error(kept: asyncio.Future[str]) -> None:
    """Leave an error to the next image, which meets it as well."""
    if not kept.cancelled():
        kept.exception()
