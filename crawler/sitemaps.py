"""Sitemaps: asked of every host that the crawl reaches, and read into pages."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from lxml.etree import LxmlError
from scrapy import signals
from scrapy.http import Request, Response
from scrapy.utils.gz import gunzip, gzip_magic_number
from scrapy.utils.sitemap import Sitemap

from crawler.items import Found
from crawler.outcomes import Failed
from crawler.urls import canonical, host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_MOST = 50_000
"""Addresses in one sitemap, as the protocol has it."""
_MOST_SITEMAPS = 1_000
"""Sitemaps of one host."""
_USUAL = "/sitemap_index.xml"
"""Where a seed host's sitemap lies when its robots.txt names none."""

logger = logging.getLogger(__name__)


class SitemapDiscovery:
    """Asks for the sitemaps that a host's robots.txt names, once the crawl has reached the host.

    With ALSOREAD_DISCOVER = "links", only for hosts that are seeds: there the sitemap is the seed.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.everywhere = crawler.settings["ALSOREAD_DISCOVER"] != "links"
        self.asked: dict[str, set[str]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make one."""
        extension = cls(crawler)
        crawler.signals.connect(extension.robots_parsed, signals.robots_parsed)
        return extension

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Sends for the sitemaps. A seed host's pages are as near as the seed itself."""
        host = host_of(canonical(request.url))
        spider: Any = self.crawler.spider
        is_seed = f"https://{host}/" in spider.pages
        if is_seed or self.everywhere:
            named = list(robotparser.rp.sitemaps) or [_USUAL] * is_seed
            depth = 0 if is_seed else request.meta.get("depth", 0) + 1
            for sitemap in self._requests([urljoin(request.url, name) for name in named], host, depth):
                self.crawler.engine.crawl(sitemap)

    def parse(self, response: Response, host: str, depth: int) -> Iterator[Request | Found]:
        """A sitemap's pages, and the requests for the sitemaps that it names."""
        try:
            sitemaps, pages = read_sitemap(response)
        except Failed as error:
            self._warn(response.url, error)
            return
        if pages:
            yield Found(pages=pages, depth=depth)
        yield from self._requests(sitemaps, host, depth)

    def failed(self, failure: Any) -> None:
        """A sitemap that could not be fetched costs its pages' times, not the crawl."""
        self._warn(failure.request.url, failure.value)

    def _warn(self, url: str, error: BaseException) -> None:
        logger.warning("The sitemap %s is left out: %s", url, error)
        self.crawler.stats.inc_value("sitemap/failed")

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
