"""Sitemaps: asked of every host that the crawl reaches, and read into pages."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from lxml.etree import LxmlError
from scrapy import signals
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Request, Response
from scrapy.utils.gz import gunzip, gzip_magic_number
from scrapy.utils.sitemap import Sitemap

from crawler.items import UNLINKED, Found
from crawler.outcomes import Failed, Refused
from crawler.robots import Robots
from crawler.urls import canonical, host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.catalog import Catalog

_MOST = 50_000
"""Addresses in one sitemap, as the protocol has it."""
_MOST_PAGES = 50_000
"""Pages that the sitemaps of one host name: nine times those of the largest blog."""
_MOST_SITEMAPS = 1_000
"""Sitemaps of one host."""
_USUAL = "/sitemap_index.xml"
"""Where a seed host's sitemap lies when its robots.txt names none."""

logger = logging.getLogger(__name__)


class SitemapDiscovery:
    """Asks for the sitemaps that a host's robots.txt names, once the crawl has reached the host.

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
        """Scrapy's way to make one."""
        extension = cls(crawler)
        crawler.signals.connect(extension.engine_started, signals.engine_started)
        crawler.signals.connect(extension.spider_idle, signals.spider_idle)
        crawler.signals.connect(extension.robots_parsed, signals.robots_parsed)
        return extension

    def engine_started(self) -> None:
        """Begins to ask the hosts that are known already; a run that meets a limit as it opens never gets here."""
        self.catalog: Catalog = self.crawler.engine.scheduler.catalog  # type: ignore[union-attr]
        self.fresh = self.catalog.hosts_with_fresh_sitemaps() - self._seeds()
        self._asking = asyncio.ensure_future(self._ask_known())

    def spider_idle(self) -> None:
        """Holds the crawl open until all of them were asked."""
        if self._asking and not self._asking.done():
            raise DontCloseSpider

    async def _ask_known(self) -> None:
        frontier: Any = self.crawler.engine.scheduler
        robots: Any = self.crawler.get_downloader_middleware(Robots)
        known = self.catalog.reached_hosts() if self.everywhere else set()
        for host in sorted(known | self._seeds()):
            if host in self.fresh or not frontier.wanted(host):
                continue
            try:
                await robots.rules(Request(f"https://{host}/"))
            except (Failed, Refused) as error:
                self._warn(host, f"https://{host}/robots.txt", error)

    def _seeds(self) -> set[str]:
        """The hosts that the user names."""
        spider: Any = self.crawler.spider
        return {host_of(url) for url in spider.pages if spider.seeds and url == f"https://{host_of(url)}/"}

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Sends for the sitemaps. A seed host's pages are seeds; no links lead to those of another."""
        host = host_of(canonical(request.url))
        spider: Any = self.crawler.spider
        is_seed = f"https://{host}/" in spider.pages
        if (is_seed or self.everywhere) and host not in self.fresh:
            named = list(robotparser.rp.sitemaps) or [_USUAL] * is_seed
            if not named:
                self.catalog.write(Found(pages=[], host=host))
            depth = 0 if is_seed else UNLINKED
            for sitemap in self._requests([urljoin(request.url, name) for name in named], host, depth):
                self.crawler.engine.crawl(sitemap)

    def parse(self, response: Response, host: str, depth: int) -> Iterator[Request | Found]:
        """A sitemap's pages, and the requests for the sitemaps that it names."""
        try:
            sitemaps, pages = read_sitemap(response)
        except Failed as error:
            self._warn(host, response.url, error)
            return
        room = _MOST_PAGES - self.named[host]
        if len(pages) > room:
            pages = pages[:room]
            problem = f"the sitemaps of {host} name more than {_MOST_PAGES:,} pages; the first are taken"
            self._warn(host, response.url, Failed(problem))
        self.named[host] += len(pages)
        if pages or not sitemaps:
            yield Found(pages=pages, depth=depth, host=host)
        yield from self._requests(sitemaps, host, depth)

    def failed(self, failure: Any) -> None:
        """A sitemap that could not be fetched costs its pages' times, not the crawl."""
        self._warn(failure.request.cb_kwargs["host"], failure.request.url, failure.value)

    def _warn(self, host: str, url: str, error: BaseException) -> None:
        logger.warning("The sitemap %s could not be read whole: %s", url, error)
        self.catalog.write(Found(pages=[], host=host, unread=True))

    def _requests(self, sitemaps: list[str], host: str, depth: int) -> Iterator[Request]:
        asked = self.asked.setdefault(host, set())
        for url in sitemaps:
            if url not in asked and len(asked) < _MOST_SITEMAPS:
                asked.add(url)
                yield Request(
                    url,
                    callback=self.parse,
                    errback=self.failed,
                    cb_kwargs={"host": host, "depth": depth},
                    meta={"handle_httpstatus_all": True},
                )


def read_sitemap(response: Response) -> tuple[list[str], list[tuple[str, datetime | None]]]:
    """The sitemaps that a sitemap names, and its pages, each with its lastmod. Raises Failed where it is none."""
    if response.status != 200:
        raise Failed(f"the server answers {response.status}")
    try:
        body = gunzip(response.body, max_size=10 * 2**20) if gzip_magic_number(response) else response.body
        sitemap = Sitemap(body)
        entries = [entry for entry, _ in zip(sitemap, range(_MOST), strict=False)]
    except (LxmlError, StopIteration, OSError, EOFError, ValueError, zlib.error) as error:
        raise Failed(f"it can't be read as a sitemap: {error}") from None
    if sitemap.type == "sitemapindex":
        return [urljoin(response.url, entry["loc"]) for entry in entries], []
    return [], [page for entry in entries if (page := _page(entry))]


def _page(entry: dict[str, str]) -> tuple[str, datetime | None] | None:
    try:
        return canonical(entry["loc"]), _time(entry.get("lastmod", ""))
    except ValueError:
        return None


def _time(lastmod: str) -> datetime | None:
    """W3C date or time; None for anything else.

    >>> _time("2024-10-05T18:35:43.790Z"), _time("yesterday")
    (datetime.datetime(2024, 10, 5, 18, 35, 43, 790000, tzinfo=datetime.timezone.utc), None)
    """
    try:
        time = datetime.fromisoformat(lastmod)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
