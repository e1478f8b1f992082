"""The last stage: store every item in the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from crawler.signals import archive_opened
from pipelines.archive.catalog import Catalog

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class StoreInCatalog:
    """Write an item's file, then its page, article and links in one transaction, by the writer process."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build the stage for a crawl."""
        stage = cls()
        crawler.signals.connect(stage.archive_opened, archive_opened)
        return stage

    def archive_opened(self, catalog: Catalog) -> None:
        """Store into this catalog."""
        self.catalog = catalog

    async def process_item(self, item: Any) -> Any:
        """Return the item when it is committed."""
        await self.catalog.write(item)
        return item
