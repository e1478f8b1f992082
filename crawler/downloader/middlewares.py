"""Downloader middlewares, one job each, in the order of settings.py."""

from __future__ import annotations

import re
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.responsetypes import responsetypes

from crawler.content_encoding import ENCODINGS, TooLarge, Undecodable, decode
from crawler.media_types import media_type
from crawler.responses import Failed, Refused
from crawler.urls import in_scope

MAX_URL_CHARACTERS = 2083  # the longest address that every browser and content network takes
MAX_LAYERS = 5  # of compression in one response, as many as curl undoes

_TOKEN = re.compile(r"[^\s,]+")
_HTML = ("text/html", "application/xhtml+xml")
_UNKNOWN = ("", "application/octet-stream")


class Scope:
    """Refuse requests outside ALSOREAD_SCOPE; no redirect, retry or meta key gets around it."""

    def __init__(self, crawler: Crawler) -> None:
        self._domains = crawler.settings.getlist("ALSOREAD_SCOPE")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Pass a request. Raises Refused (scope, trap)."""
        if not in_scope(request.url, self._domains):
            raise Refused("scope", f"{request.url} is not on {', '.join(self._domains)}")
        if len(request.url) > MAX_URL_CHARACTERS:
            raise Refused("trap", f"the address has {len(request.url)} characters")


class Conditional:
    """Make requests for archived pages conditional; refuse a 304 that nobody asked for.

    The validators come from `request.meta`: `etag` and `last_modified`, as the server once sent them.
    """

    def process_request(self, request: Request) -> None:
        """Set If-None-Match and If-Modified-Since."""
        for key, header in ("etag", b"If-None-Match"), ("last_modified", b"If-Modified-Since"):
            if validator := request.meta.get(key):
                request.headers[header] = validator

    def process_response(self, request: Request, response: Response) -> Response:
        """Pass a 304 only if a validator was sent. Raises Failed."""
        asked = b"If-None-Match" in request.headers or b"If-Modified-Since" in request.headers
        if response.status == 304 and not asked:
            raise Failed("304 Not Modified to a request that did not ask for it")
        return response


class WholeBody:
    """Decode bodies, and fail on what Scrapy's own decoder lets through: streams cut short or corrupt.

    Also bombs (DOWNLOAD_MAXSIZE holds for each decoded layer), endless layers, and bodies whose end the
    server did not mark.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._limit = crawler.settings.getint("DOWNLOAD_MAXSIZE")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Set Accept-Encoding to what can be decoded."""
        request.headers.setdefault(b"Accept-Encoding", ", ".join(ENCODINGS))

    def process_response(self, request: Request, response: Response) -> Response:  # noqa: ARG002
        """Return the response with its body decoded. Raises Failed, or Refused (too-large)."""
        return decoded(response, self._limit)


def decoded(response: Response, limit: int) -> Response:
    """Return a response with its body decoded, of which no layer may have more than `limit` bytes.

    Raises Failed, or Refused (too-large).
    """
    if not {"partial", "dataloss"}.isdisjoint(response.flags):
        raise Failed("the response ended early, or its end was not marked")
    encodings = b",".join(response.headers.getlist(b"Content-Encoding")).decode("latin-1").lower()
    layers = [name for name in _TOKEN.findall(encodings) if name != "identity"]
    if not layers or not response.body:
        return response
    if len(layers) > MAX_LAYERS:
        raise Refused("too-large", f"{response.url} is encoded {len(layers)} times over")
    body = response.body
    try:
        for encoding in reversed(layers):
            body = decode(body, encoding, limit)
    except Undecodable as error:
        raise Failed(str(error)) from error
    except TooLarge as error:
        raise Refused("too-large", f"{response.url} is {error}") from error
    headers = response.headers.copy()
    del headers[b"Content-Encoding"]
    # Not response.replace(): it carries over the encoding that Scrapy guessed from the compressed bytes.
    attributes = {name: getattr(response, name) for name in Response.attributes}
    kind = responsetypes.from_args(headers=headers, url=response.url, body=body)
    return kind(**attributes | {"headers": headers, "body": body})


class HtmlOnly:
    """Refuse what is not a page: an image called HTML, a page called an image, JSON, an empty body.

    Judges the responses to page requests (`request.meta["page"]`) that have status 200.
    """

    def process_response(self, request: Request, response: Response) -> Response:
        """Pass HTML. Raises Failed if there is no body, Refused (wrong-type) if it is not HTML."""
        if response.status == 200 and request.meta.get("page"):
            check_html(response)
        return response


def check_html(response: Response) -> None:
    """Pass a response that is a page. Raises Failed if there is no body, Refused (wrong-type) if it is not HTML."""
    if not response.body.strip():
        raise Failed("the response has no body")
    content_type = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
    declared = content_type.partition(";")[0].strip().lower()
    detected = media_type(response.body)
    if detected == "text/html" and declared in (*_HTML, *_UNKNOWN):
        return
    if detected is None and declared in _HTML:
        return
    sent_as = f" sent as {declared or 'nothing'}" if detected != declared else ""
    raise Refused("wrong-type", f"expected HTML, got {detected or 'text'}{sent_as}")
