"""Crawl the also-read graph: read each response and yield a Visit with its state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, Spider
from scrapy.http import Response

from crawler import responses
from crawler.extensions.sitemaps import report_unread
from crawler.frontier.seeds import SeedError, read_seeds
from crawler.items import Visit
from crawler.spiders.reader import Reader
from crawler.spiders.sitemaps import Sitemaps

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class AlsoReadSpider(Spider):
    """Follow the also-read links from the seeds: `scrapy crawl also_read -a seeds="ADDRESS HOST FILE"`.

    The seeds become due pages when the frontier opens; the links of an article when it is stored.
    """

    name = "also_read"
    pages: list[str]
    reader: Reader
    sitemaps: Sitemaps

    def __init__(self, seeds: str | Sequence[str] = "", **unknown: Any) -> None:
        """Raises SeedError for any argument but `seeds`."""
        super().__init__()
        if unknown:
            raise SeedError(
                f'{", ".join(unknown)}: not an argument of {self.name}. Use -a seeds="ADDRESS HOST FILE".'
            )
        self.seeds = seeds.split() if isinstance(seeds, str) else list(seeds)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Raises SeedError where a seed can't be used."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.seeds = spider.seeds or crawler.settings.getlist("ALSOREAD_SEEDS")
        spider.pages = read_seeds(spider.seeds, crawler.settings.getlist("ALSOREAD_SCOPE"))
        spider.reader = Reader(crawler.settings.getfloat("ALSOREAD_READ_TIMEOUT"))
        spider.sitemaps = Sitemaps(lambda *unread: report_unread(crawler.stats, *unread))
        return spider

    async def parse(self, response: Response) -> AsyncIterator[Visit | Request]:
        """Yield the visit of a response, or a request for the same page by another spelling."""
        url = response.meta["page"]
        if onward := responses.follow(response, responses.same_page_redirect(url, response)):
            yield onward
            return
        visit = responses.classify_response(url, response)
        if visit is None:
            try:
                reading = await self.reader.read(response.body, url, responses.charset_of(response))
                visit = responses.classify_reading(url, response, reading)
            except responses.Failed as error:
                visit = responses.classify_error(url, error, response.status)
        yield replace(
            visit,
            seconds=response.meta.get("download_latency"),
            exchanges=response.meta.get("exchanges", ()),
        )

    def failed(self, failure: Any) -> Iterator[Visit]:
        """Yield the visit of a page that could not be fetched."""
        meta = failure.request.meta
        visit = responses.classify_error(meta["page"], failure.value)
        yield replace(visit, exchanges=meta.get("exchanges", ()))

    def closed(self, reason: str) -> None:  # noqa: ARG002
        """Stop the reader's processes."""
        self.reader.close()
