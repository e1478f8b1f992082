"""What may not pass in silence: an article without its text is none, an unknown template is told."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from crawler.items import Visit
from crawler.urls import host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

_EXPECTED = ("title", "author", "date", "also_read")

logger = logging.getLogger(__name__)


class Validate:
    """Pipeline: refuses articles without a body; counts what is missing, and warns of templates not known."""

    def __init__(self, stats: StatsCollector) -> None:
        self.stats = stats
        self.unknown: Counter[str] = Counter()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make one."""
        return cls(crawler.stats)

    def process_item(self, item: Any) -> Any:
        """The visit, turned into a failure where the article has no body."""
        if not isinstance(item, Visit) or item.article is None:
            return item
        article = item.article
        if not article.body:
            return replace(item, state="failed", reason="the article has no text", article=None)
        for name in _EXPECTED:
            if not getattr(article, name):
                self.stats.inc_value(f"archive/without/{name}")
        if article.extractor == "generic":
            self._tell_unknown(host_of(article.url), article.url)
        return item

    def _tell_unknown(self, host: str, url: str) -> None:
        self.unknown[host] += 1
        self.stats.inc_value(f"archive/unknown_template/{host}")
        if self.unknown[host] == 1:
            logger.warning(
                "%s uses a template that is not known: read by the generic extractor (%s)", host, url
            )
