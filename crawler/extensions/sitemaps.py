"""Fetch the sitemaps of every host that the crawl reaches, and find their pages."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Request, Response

from crawler.downloader.robots import Robots
from crawler.extensions.sitemap_contents import absolute, read_sitemap
from crawler.items import UNLINKED, FoundPages
from crawler.responses import Failed, Refused, in_words, redirect_target
from crawler.signals import archive_opened
from crawler.urls import canonical, host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.archive.catalog import Catalog

UNREAD_SITEMAPS = "archive/unread_sitemaps"
"""The statistic that has, by host, the addresses of sitemaps that could not be read whole."""
_MAX_PAGES = 50_000
"""Pages that the sitemaps of one host name: nine times those of the largest blog."""
_MAX_SITEMAPS = 1_000
"""Sitemaps that are read of one host."""
_DEFAULT_PATH = "/sitemap_index.xml"
"""Where a seed host's sitemap lies when its robots.txt names none."""

logger = logging.getLogger(__name__)


class SitemapDiscovery:
    """Request the sitemaps that a host's robots.txt names, once the crawl has reached the host.

    Hosts that the archive knows are asked when the crawl begins: their sitemaps say which pages changed.
    With ALSOREAD_DISCOVER = "links", only hosts that are seeds are: there the sitemap is the seed.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.everywhere = crawler.settings["ALSOREAD_DISCOVER"] != "links"
        self.asked: dict[str, set[str]] = {}
        self.fresh: set[str] = set()
        self.named: Counter[str] = Counter()
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
        """Find the known hosts in this catalog; the frontier tells which of them are wanted."""
        self.catalog = catalog
        self.is_wanted = frontier.wanted

    def engine_started(self) -> None:
        """Ask the hosts that are known already; a run that meets a limit as it opens never gets here."""
        self.fresh = self.catalog.hosts_with_fresh_sitemaps() - self._seeds()
        self._asking = asyncio.ensure_future(self._ask_known())

    def spider_idle(self) -> None:
        """Keep the crawl open until all of them were asked."""
        if self._asking and not self._asking.done():
            raise DontCloseSpider

    async def _ask_known(self) -> None:
        robots: Any = self.crawler.get_downloader_middleware(Robots)
        known = self.catalog.reached_hosts() if self.everywhere else set()
        for host in sorted(known | self._seeds()):
            if host in self.fresh or not self.is_wanted(host):
                continue
            try:
                await robots.rules(Request(f"https://{host}/"))
            except (Failed, Refused) as error:
                self._warn(host, f"https://{host}/robots.txt", error)

    def _seeds(self) -> set[str]:
        """Return the hosts among the seeds."""
        spider: Any = self.crawler.spider
        return {host_of(url) for url in spider.pages if spider.seeds and url == f"https://{host_of(url)}/"}

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Request the sitemaps. A seed host's pages are seeds; no links lead to those of another."""
        host = host_of(canonical(request.url))
        spider: Any = self.crawler.spider
        is_seed = f"https://{host}/" in spider.pages
        if (is_seed or self.everywhere) and host not in self.fresh:
            named = list(robotparser.rp.sitemaps) or [_DEFAULT_PATH] * is_seed
            if not named:
                self.catalog.write(FoundPages(pages=[], host=host))
            depth = 0 if is_seed else UNLINKED
            urls = [absolute(request.url, name) for name in named]
            for sitemap in self._requests(filter(None, urls), host, depth, request.url):
                self.crawler.engine.crawl(sitemap)
            for name in (name for name, url in zip(named, urls, strict=True) if not url):
                self._warn(
                    host, request.url, Failed(f"it names a sitemap without a valid address: {name[:100]!r}")
                )

    def parse(self, response: Response, host: str, depth: int) -> Iterator[Request | FoundPages]:
        """Yield a sitemap's pages, and requests for the sitemaps that it names or redirects to."""
        if target := redirect_target(response):
            if target in self.asked[host]:
                self._warn(
                    host, response.url, Failed(f"it redirects to {target}, which was asked for already")
                )
            yield from self._requests([target], host, depth, response.url)
            return
        try:
            contents = read_sitemap(response, host)
        except Failed as error:
            self._warn(host, response.url, error)
            return
        pages = contents.pages[: _MAX_PAGES - self.named[host]]
        self.named[host] += len(pages)
        if len(contents.pages) > len(pages):
            problem = f"the sitemaps of {host} name more than {_MAX_PAGES:,} pages; the first are taken"
            contents.problems.append(problem)
        if pages or not contents.sitemaps:
            yield FoundPages(pages=pages, depth=depth, host=host)
        if contents.problems:
            self._warn(host, response.url, Failed("; ".join(contents.problems)))
        yield from self._requests(contents.sitemaps, host, depth, response.url)

    def failed(self, failure: Any) -> None:
        """Report a sitemap that could not be fetched; the crawl continues."""
        self._warn(failure.request.cb_kwargs["host"], failure.request.url, failure.value)

    def _warn(self, host: str, url: str, error: BaseException) -> None:
        """Count a sitemap, or a robots.txt that names some, of which not all could be read."""
        logger.warning("The sitemap %s could not be read whole: %s", url, in_words(error, url))
        stats: Any = self.crawler.stats
        unread: dict[str, list[str]] = stats.get_value(UNREAD_SITEMAPS, {})
        unread.setdefault(host, []).append(url)
        stats.set_value(UNREAD_SITEMAPS, unread)
        self.catalog.write(FoundPages(pages=[], host=host, unread=True))

    def _requests(self, sitemaps: Iterable[str], host: str, depth: int, named_by: str) -> Iterator[Request]:
        """Yield requests for those of the sitemaps that were not requested yet."""
        asked = self.asked.setdefault(host, set())
        new = [url for url in dict.fromkeys(sitemaps) if url not in asked]
        room = _MAX_SITEMAPS - len(asked)
        if new[room:]:
            too_many = (
                f"it names {len(new[room:]):,} sitemaps beyond the {_MAX_SITEMAPS:,} that are read of a host"
            )
            self._warn(host, named_by, Failed(too_many))
        for url in new[:room]:
            asked.add(url)
            yield Request(
                url,
                callback=self.parse,
                errback=self.failed,
                cb_kwargs={"host": host, "depth": depth},
                meta={"handle_httpstatus_all": True},
            )
