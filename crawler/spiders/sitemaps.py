"""Request the sitemaps of each host and yield the pages that they name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from scrapy.http import Request, Response

from crawler.items import FoundPages
from crawler.responses import Failed, follow, redirect_target
from crawler.spiders.sitemap_contents import absolute, read_sitemap

_MAX_PAGES = 50_000
"""Pages that the sitemaps of one host name: nine times those of the largest blog."""
_MAX_SITEMAPS = 1_000
"""Sitemaps that are read of one host."""
_MAX_QUOTE_CHARACTERS = 100


class Sitemaps:
    """The sitemaps that one run reads: each once, and of a host no more than its share."""

    def __init__(self, unread: Callable[[str, str, BaseException], FoundPages]) -> None:
        """`unread` makes the report of a host's sitemap, by its address, of which not all could be read."""
        self._unread = unread
        self._requested: dict[str, set[str]] = {}
        self._named: Counter[str] = Counter()

    def request(
        self, names: Iterable[str], host: str, depth: int, named_by: str
    ) -> Iterator[Request | FoundPages]:
        """Yield requests for a host's sitemaps that were not requested yet, and reports of those left out.

        `depth`: of the pages that they name; `named_by`: the address of what names them.
        """
        requested = self._requested.setdefault(host, set())
        for name in dict.fromkeys(names):
            url = absolute(named_by, name)
            if url is None:
                invalid = f"it names a sitemap without a valid address: {name[:_MAX_QUOTE_CHARACTERS]!r}"
                yield self._unread(host, named_by, Failed(invalid))
            elif url not in requested and len(requested) == _MAX_SITEMAPS:
                too_many = f"it names more than the {_MAX_SITEMAPS:,} sitemaps that are read of a host"
                yield self._unread(host, named_by, Failed(too_many))
                return
            elif url not in requested:
                requested.add(url)
                yield Request(
                    url,
                    callback=self.parse,
                    errback=self.failed,
                    cb_kwargs={"host": host, "depth": depth},
                    meta={"handle_httpstatus_all": True},
                )

    def parse(self, response: Response, host: str, depth: int) -> Iterator[Request | FoundPages]:
        """Yield a sitemap's pages, and requests for the sitemaps that it names or redirects to."""
        if target := redirect_target(response):
            onward = follow(response, absolute(response.url, target))
            error = Failed(f"it redirects to {target[:_MAX_QUOTE_CHARACTERS]!r}, which is not followed")
            yield onward or self._unread(host, response.url, error)
            return
        try:
            contents = read_sitemap(response, host)
        except Failed as error:
            yield self._unread(host, response.url, error)
            return
        pages = contents.pages[: _MAX_PAGES - self._named[host]]
        self._named[host] += len(pages)
        if len(contents.pages) > len(pages):
            problem = f"the sitemaps of {host} name more than {_MAX_PAGES:,} pages; the first are taken"
            contents.problems.append(problem)
        if pages or not contents.sitemaps:
            yield FoundPages(pages=pages, depth=depth, host=host)
        if contents.problems:
            yield self._unread(host, response.url, Failed("; ".join(contents.problems)))
        yield from self.request(contents.sitemaps, host, depth, response.url)

    def failed(self, failure: Any) -> Iterator[FoundPages]:
        """Yield the report of a sitemap that could not be fetched; the crawl continues."""
        request = failure.request
        yield self._unread(request.cb_kwargs["host"], request.url, failure.value)
