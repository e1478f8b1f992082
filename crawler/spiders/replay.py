"""Read recorded responses as a crawl reads those of servers, without network."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.http.headers import Headers
from scrapy.robotstxt import ProtegoRobotParser

from crawler import responses
from crawler.content_encoding import dechunked
from crawler.downloader.middlewares import check_html, decoded
from crawler.downloader.robots import check_rules, parse_rules
from crawler.extensions.sitemaps import named_sitemaps
from crawler.items import UNLINKED, FoundPages, Visit
from crawler.media_types import media_type
from crawler.responses import Failed, Refused
from crawler.settings import BOT_NAME
from crawler.spiders.reader import Reader
from crawler.spiders.sitemaps import Sitemaps
from crawler.urls import canonical, host_of
from pipelines.importing.recorded import Item, Recorded, Result, Skipped

_ROBOTS = "/robots.txt"
_OURS = "alsoread/"


class Replay:
    """Make of recorded responses, in their order, what the spider made or would have made of them."""

    def __init__(self, time_limit: float, max_bytes: int) -> None:
        """`time_limit`: seconds of CPU time that reading one page may take; `max_bytes`: of a decoded response."""
        self._reader = Reader(time_limit)
        self._max_bytes = max_bytes
        self._sitemaps = Sitemaps(_unread)
        self._expected: dict[str, Request] = {}
        self._rules: dict[str, ProtegoRobotParser] = {}
        self._seeds: frozenset[str] = frozenset()
        self._is_ours = False
        self._discovers = True

    def begin(self, info: Mapping[str, str]) -> Sequence[str]:
        """Take the fields of a `warcinfo` record, which hold for what follows; return the seeds of its run."""
        self._is_ours = info.get("software", "").startswith(_OURS)
        self._seeds = frozenset(_strings(info.get("seeds"))) if self._is_ours else frozenset()
        self._discovers = not self._is_ours or '"ALSOREAD_DISCOVER": "links"' not in info.get("settings", "")
        return sorted(self._seeds)

    def read(self, recorded: Recorded) -> Coroutine[Any, Any, Result]:
        """Return a coroutine that reads a response. Call it in the order of the records."""
        page = canonical(recorded.url)
        request = self._expected.pop(recorded.url, None) or Request(recorded.url)
        try:
            response = _response(recorded, request, is_ours=self._is_ours)
        except ValueError:
            return _done(Skipped.NOT_HTTP)
        if page == f"https://{host_of(page)}{_ROBOTS}" or "robots" in request.meta:
            return _done(self._robots(response, request, host_of(page)))
        try:
            response = self._decoded(response)
            if not request.callback and response.status == 200 and not _is_sitemap(response):
                check_html(response)
        except (Failed, Refused) as error:
            if request.callback:
                return _done([_unread(request.cb_kwargs["host"], request.url, error)])
            return _done([responses.classify_error(page, error)])
        if request.callback or _is_sitemap(response):
            return _done(self._sitemap(response, request, host_of(page)))
        return self._page(page, response)

    def refuse(self, page: str) -> Visit | None:
        """Return the visit of a page that its host's robots.txt kept our own crawl from; None for any other."""
        if rules := self._rules.get(host_of(page)):
            try:
                check_rules(rules, Request(page), BOT_NAME)
            except Refused as refused:
                return responses.classify_error(page, refused)
        return None

    def close(self) -> None:
        """Stop the processes that read pages."""
        self._reader.close()

    def _decoded(self, response: Response) -> Response:
        """Raises Failed and Refused."""
        try:
            return decoded(response, self._max_bytes)
        except Failed:
            if not self._is_ours and media_type(response.body) == "text/html":
                return response  # browsers record what they have decoded, with the headers of what they got
            raise

    def _page(self, page: str, response: Response) -> Coroutine[Any, Any, Result]:
        if onward := responses.follow(response, responses.same_page_redirect(page, response)):
            self._expected[onward.url] = onward
            return _done([])
        if visit := responses.classify_response(page, response):
            return _done([visit])
        return self._read_page(page, response, is_start=not self._is_ours)

    async def _read_page(self, page: str, response: Response, *, is_start: bool) -> Result:
        """`is_start`: an article is a starting point of crawls, as nothing tells how it was found."""
        try:
            reading = await self._reader.read(response.body, page, responses.charset_of(response))
            visit = responses.classify_reading(page, response, reading)
        except Failed as error:
            visit = responses.classify_error(page, error, response.status)
        items: list[Item] = [visit]
        if is_start and visit.article:
            items.insert(0, FoundPages(pages=[(page, None)]))
        return Result(items)

    def _robots(self, response: Response, request: Request, host: str) -> list[Item]:
        host = request.meta.get("robots", host)
        if target := responses.redirect_target(response):
            self._expected[target] = Request(target, meta={"robots": host}) if "://" in target else request
            return []
        try:
            rules = parse_rules(decoded(response, self._max_bytes))
        except (Failed, Refused) as error:
            return [_unread(host, response.url, error)]
        is_seed = f"https://{host}/" in self._seeds
        if self._is_ours:
            self._rules[host] = rules
        if not (is_seed or self._discovers):
            return []
        names = named_sitemaps(rules, is_seed=is_seed)
        found: list[Item] = [] if names else [FoundPages(pages=[], host=host)]
        depth = 0 if is_seed else UNLINKED
        return found + self._follow(self._sitemaps.request(names, host, depth, response.url))

    def _sitemap(self, response: Response, request: Request, host: str) -> list[Item]:
        place = request.cb_kwargs or {"host": host, "depth": UNLINKED}
        return self._follow(self._sitemaps.parse(response, **place))

    def _follow(self, results: Any) -> list[Item]:
        """Expect the responses to requests, and return the items."""
        items: list[Item] = []
        for result in results:
            if isinstance(result, Request):
                self._expected[result.url] = result
            else:
                items.append(result)
        return items


async def _done(result: Sequence[Item] | Skipped) -> Result:
    return Result([], result) if isinstance(result, Skipped) else Result(result)


def _unread(host: str, url: str, error: BaseException) -> FoundPages:  # noqa: ARG001
    return FoundPages(pages=[], host=host, unread=True)


def _strings(text: str | None) -> list[str]:
    """Return a JSON list of strings; an empty one for anything else."""
    try:
        values = json.loads(text or "")
    except (ValueError, RecursionError):
        return []
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _is_sitemap(response: Response) -> bool:
    start = response.body[:500]
    return response.status == 200 and (b"<urlset" in start or b"<sitemapindex" in start)


def _response(recorded: Recorded, request: Request, *, is_ours: bool) -> Response:
    """Return a response without its framing. Raises ValueError if the record has none."""
    first, *lines = recorded.head.splitlines() or [b""]
    words = first.split(maxsplit=2)
    if not first.startswith(b"HTTP/") or len(words) < 2 or not (words[1].isdigit() and len(words[1]) == 3):
        raise ValueError
    headers = Headers()
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            headers.appendlist(name.strip(), value.strip())
    body, is_whole = _unframed(headers, recorded.body, is_ours=is_ours)
    flags = [] if (is_whole and not recorded.truncated) or words[1] == b"304" else ["partial"]
    request = request.replace(url=recorded.url)
    return Response(recorded.url, int(words[1]), headers, body, flags, request)


def _unframed(headers: Headers, body: bytes, *, is_ours: bool) -> tuple[bytes, bool]:
    """Return a body without its framing, and whether it is whole.

    Other programs record some bodies without the framing that the headers name: there the record is the frame.
    """
    if b"chunked" in b",".join(headers.getlist(b"Transfer-Encoding")).lower():
        content, is_whole = dechunked(body)
        return (content, is_whole) if is_ours or content else (body, True)
    length = (headers.get(b"Content-Length") or b"").strip()
    if not is_ours:
        return body, True
    return body, length.isdigit() and len(body) == int(length)
