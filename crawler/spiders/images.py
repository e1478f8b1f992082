"""Fetch copies of images: yield an ImageVisit with the state of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.http import Response

from crawler import responses
from crawler.downloader.engine import count_unsettled, is_busy
from crawler.items import ImageVisit
from crawler.urls import named_host

_ACCEPT = {"Accept": "image/*,*/*;q=0.5"}
"""Some hosts send a page that shows the image to clients that accept HTML."""
_MAX_UNSETTLED_IMAGES = 16
"""Maximum of images that are fetched and not stored yet: a kill repeats them."""
_NO_LIMIT = 2**31
"""Failures after which a host is not asked any more."""


class ImagesSpider(Spider):
    """Request the images at these addresses, each when the engine has room for it.

    What lies on a host that fails ALSOREAD_HOST_FAILURES times in a row, or asks to be left alone, is passed over.
    """

    name = "images"
    urls: Iterator[str]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._failures: Counter[str] = Counter()

    async def start(self) -> AsyncIterator[Request | ImageVisit]:
        """Yield requests in the order of the addresses."""
        stats: Any = self.crawler.stats
        tolerated = self.settings["ALSOREAD_HOST_FAILURES"] or _NO_LIMIT
        for url in self.urls:
            while is_busy(self.crawler) or count_unsettled(self.crawler) >= _MAX_UNSETTLED_IMAGES:
                await self.crawler.signals.wait_for(signals.scheduler_empty)
            if self._failures[named_host(url)] < tolerated:
                yield self._request(url)
            else:
                stats.inc_value("images/postponed")

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Request | ImageVisit]:  # noqa: ARG002
        """Yield the visit of a response, or a request that follows its redirect."""
        url, target = response.meta["image"], responses.redirect_target(response)
        try:
            onward = responses.follow(response, target)
        except ValueError:
            yield _not_web(url, target)
        else:
            exchanges = response.meta.get("exchanges", ())
            yield onward or self._judged(
                replace(responses.classify_image(url, response), exchanges=exchanges)
            )

    def failed(self, failure: Any) -> Iterator[ImageVisit]:
        """Yield the visit of an image that could not be fetched."""
        meta = failure.request.meta
        visit = responses.classify_image_error(meta["image"], failure.value)
        yield self._judged(replace(visit, exchanges=meta.get("exchanges", ())))

    def _judged(self, visit: ImageVisit) -> ImageVisit:
        """Count a failure of the image's host, and return the visit."""
        host = named_host(visit.url)
        if visit.retry_after:
            self._failures[host] = _NO_LIMIT
        elif self._failures[host] < _NO_LIMIT:
            self._failures[host] = self._failures[host] + 1 if visit.state == "failed" else 0
        return visit

    def _request(self, url: str) -> Request | ImageVisit:
        meta = {"image": url}
        try:
            return Request(url, self.parse, errback=self.failed, headers=_ACCEPT, dont_filter=True, meta=meta)
        except ValueError:
            return _not_web(url, url)


def _not_web(url: str, target: str | None) -> ImageVisit:
    """Return the visit of an image whose address, or the one that it redirects to, is none on the web."""
    return responses.classify_image_error(
        url, responses.Refused("scope", f"{target!r} is no address on the web")
    )
