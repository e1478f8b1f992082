"""Obey robots.txt after RFC 9309, with one fetch a host."""

from __future__ import annotations

import asyncio
import logging
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Self
from urllib.parse import urljoin

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured, StopDownload
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser
from scrapy.utils.httpobj import urlparse_cached

from crawler.downloader.engine import set_delay
from crawler.downloader.handler import connect_to
from crawler.responses import MAX_REDIRECTS, Failed, Refused, follow, in_words, target_of
from crawler.urls import in_scope

MAX_BYTES = 500 * 1024  # of a robots.txt that are read: the least that the RFC allows
VALID_SECONDS = 24 * 3600  # that rules hold, as in the RFC
RETRY_SECONDS = 60  # until a robots.txt that could not be read is asked for again
MAX_DELAY_SECONDS = 300  # a longer Crawl-delay counts as this

logger = logging.getLogger(__name__)


class Robots:
    """Obey robots.txt; survive one that is slow, huge, garbled, redirected or broken.

    The requests that wait for a host's rules share one fetch; none leaves before its end. 4xx means that
    there are no rules. 429, 5xx and all else that keeps the file from being read fail every page of the host,
    for now. A Crawl-delay becomes the delay of the host's download slot. `signals.robots_parsed` is sent once
    a file, to plain functions, with `robotparser` and the `request` that waits for it.
    """

    def __init__(self, crawler: Crawler) -> None:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        self._crawler = crawler
        self._agent = crawler.settings["BOT_NAME"]
        self._domains = crawler.settings.getlist("ALSOREAD_SCOPE")
        self._delays = not connect_to(crawler.settings)  # nobody is spared by waiting for a loopback server
        self._hosts: dict[str, asyncio.Task[ProtegoRobotParser]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Pass a request. Raises Refused (robots), or Failed while the rules can't be read."""
        if request.meta.get("robots"):
            return
        rules = await self.rules(request)
        check_rules(rules, request, self._agent)
        if self._delays and rules.crawl_delay(self._agent):
            request.meta["autothrottle_dont_adjust_delay"] = True

    async def rules(self, request: Request) -> ProtegoRobotParser:
        """Return the rules of the request's host, fetched if not known. Raises Failed or Refused."""
        host = urlparse_cached(request).hostname or ""
        if host not in self._hosts:
            self._hosts[host] = asyncio.create_task(self._rules(request, host))
        return await asyncio.shield(self._hosts[host])

    async def _rules(self, request: Request, host: str) -> ProtegoRobotParser:
        forget_after = asyncio.get_running_loop().call_later
        try:
            rules = parse_rules(await self._fetch(urljoin(request.url, "/robots.txt")))
        except Refused:
            forget_after(RETRY_SECONDS, self._hosts.pop, host)
            raise
        except Exception as error:
            forget_after(RETRY_SECONDS, self._hosts.pop, host)
            why = in_words(error, f"https://{host}/robots.txt")
            raise Failed(
                f"robots.txt of {host} could not be read ({why}): no page of it is fetched until it can"
            ) from error
        forget_after(VALID_SECONDS, self._hosts.pop, host)
        if self._delays:
            self._slow_down(host, rules.crawl_delay(self._agent) or 0)
        self._crawler.signals.send_catch_log(signals.robots_parsed, robotparser=rules, request=request)
        return rules

    async def _fetch(self, url: str) -> Response:
        request = Request(
            url,
            callback=NO_CALLBACK,
            headers={"Accept-Encoding": "identity"},  # half a compressed file would be lost
            meta={"robots": True, "download_maxsize": 0},
        )
        while True:
            response = await self._download(request)
            target = target_of(response)
            if not 300 <= response.status < 400 or not target:
                return response
            if not in_scope(target, self._domains):
                raise Failed(f"it redirects to {target}")
            onward = follow(response, target)
            if onward is None:
                raise Failed(f"it redirects more than {MAX_REDIRECTS} times")
            request = onward

    async def _download(self, robots: Request) -> Response:
        received = 0

        def stop_at_size(data: bytes, request: Request) -> None:
            nonlocal received
            if request is robots:
                received += len(data)
                if received > MAX_BYTES:
                    raise StopDownload(fail=False)

        self._crawler.signals.connect(stop_at_size, signals.bytes_received)
        try:
            assert self._crawler.engine  # noqa: S101
            return await self._crawler.engine.download_async(robots)
        finally:
            self._crawler.signals.disconnect(stop_at_size, signals.bytes_received)

    def _slow_down(self, host: str, asked: float) -> None:
        if not asked > 0:
            return
        delay = min(asked, MAX_DELAY_SECONDS)
        logger.info("robots.txt of %s asks for %s s between requests; leaving %s s.", host, asked, delay)
        set_delay(self._crawler, host, delay)


def check_rules(rules: ProtegoRobotParser, request: Request, agent: str) -> None:
    """Pass a request that the rules of its host allow. Raises Refused (robots)."""
    if not rules.allowed(request.url, agent):
        parts = urlparse_cached(request)
        raise Refused("robots", f"robots.txt of {parts.hostname} disallows {parts.path}")


def parse_rules(response: Response) -> ProtegoRobotParser:
    """Return the rules in the response to a request for a robots.txt. Raises Failed where it has none."""
    if 400 <= response.status < 500 and response.status != 429:
        body = b""
    elif response.status == 200:
        body = response.body
    else:
        raise Failed(str(response.status))
    if len(body) > MAX_BYTES:  # a rule cut short would mean more than it says
        body = body[:MAX_BYTES].rpartition(b"\n")[0]
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        body = body.decode("utf-16", "ignore").encode()
    return ProtegoRobotParser(body, None)
