"""Have the sitemaps of every host requested that the crawl reaches, and keep it open meanwhile."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Request

from crawler.downloader.robots import Robots
from crawler.items import UNLINKED, FoundPages
from crawler.responses import Failed, Refused, in_words
from crawler.signals import archive_opened
from crawler.urls import canonical, host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.catalog import Catalog

UNREAD_SITEMAPS = "archive/unread_sitemaps"
"""The statistic that has, by host, the addresses of sitemaps that could not be read whole."""
_DEFAULT_PATH = "/sitemap_index.xml"
"""Where a seed host's sitemap lies when its robots.txt names none."""

logger = logging.getLogger(__name__)


def report_unread(stats: Any, host: str, url: str, error: BaseException) -> FoundPages:
    """Count a sitemap, or a robots.txt, of which not all could be read; return the item that records it."""
    logger.warning("The sitemap %s could not be read whole: %s", url, in_words(error, url))
    unread: dict[str, list[str]] = stats.get_value(UNREAD_SITEMAPS, {})
    unread.setdefault(host, []).append(url)
    stats.set_value(UNREAD_SITEMAPS, unread)
    return FoundPages(pages=[], host=host, unread=True)


def named_sitemaps(robotparser: Any, *, is_seed: bool) -> list[str]:
    """Return the sitemaps that a robots.txt names; for a seed host without any, where one usually lies."""
    names = list(robotparser.rp.sitemaps)
    return [_DEFAULT_PATH] if is_seed and not names else names


class SitemapDiscovery:
    """Have the spider request the sitemaps that a host's robots.txt names, once the crawl has reached the host.

    Hosts that the archive knows are asked when the crawl begins: their sitemaps say which pages changed.
    With ALSOREAD_DISCOVER = "links", only hosts that are seeds are: there the sitemap is the seed.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.everywhere = crawler.settings["ALSOREAD_DISCOVER"] != "links"
        self.fresh: set[str] = set()
        self.asked: set[str] = set()
        """Hosts whose robots.txt was read, so that their sitemaps are requested."""
        self._asking: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        extension = cls(crawler)
        crawler.signals.connect(extension.archive_opened, archive_opened)
        crawler.signals.connect(extension.engine_started, signals.engine_started)
        crawler.signals.connect(extension.spider_idle, signals.spider_idle)
        crawler.signals.connect(extension.robots_parsed, signals.robots_parsed)
        return extension

    def archive_opened(self, catalog: Catalog, frontier: Any) -> None:
        """Record sitemaps in this catalog; the frontier tells which hosts are known."""
        self.catalog, self.frontier = catalog, frontier

    def engine_started(self) -> None:
        """Ask the hosts that are known already; a run that meets a limit as it opens never gets here."""
        self.fresh, known = self.frontier.sitemap_hosts()
        self._asking = asyncio.ensure_future(self._ask_all(known))

    def spider_idle(self) -> None:
        """Keep the crawl open until all of them were asked."""
        if self._asking and not self._asking.done():
            raise DontCloseSpider

    async def _ask_all(self, hosts: list[str]) -> None:
        for host in hosts:
            if host not in self.fresh:
                await self.ask(host)

    async def ask(self, host: str) -> None:
        """Have the robots.txt of a host read, which names its sitemaps."""
        robots: Any = self.crawler.get_downloader_middleware(Robots)
        try:
            await robots.rules(Request(f"https://{host}/"))
        except (Failed, Refused) as error:
            url = f"https://{host}/robots.txt"
            self.catalog.write(report_unread(self.crawler.stats, host, url, error))

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Request the sitemaps. A seed host's pages are seeds; no links lead to those of another."""
        host = host_of(canonical(request.url))
        spider: Any = self.crawler.spider
        is_seed = f"https://{host}/" in spider.pages
        self.asked.add(host)
        if host in self.fresh or not (is_seed or self.everywhere):
            return
        names = named_sitemaps(robotparser, is_seed=is_seed)
        if not names:
            self.catalog.write(FoundPages(pages=[], host=host))
        for result in spider.sitemaps.request(names, host, 0 if is_seed else UNLINKED, request.url):
            if isinstance(result, Request):
                self.crawler.engine.crawl(result)
            else:
                self.catalog.write(result)
