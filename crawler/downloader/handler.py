"""Download over HTTP/1.1: verified certificates, one connection for many requests, and failures in words."""
# ruff: noqa: N802, ARG002 - Twisted names these methods, and their arguments

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    StopDownload,
)
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet._sslverify import ClientTLSOptions
from twisted.internet.base import ReactorBase
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web._newclient import HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer  # type: ignore[import-untyped]

from crawler.downloader.engine import begin_delay
from crawler.downloader.errors import failed_download
from crawler.downloader.protocol import OneResponseFactory
from crawler.downloader.recording import recorded
from crawler.downloader.resolver import unresolved
from crawler.items import VALID_STATUSES
from crawler.responses import Failed, Refused


def connect_to(settings: BaseSettings) -> tuple[str, int] | None:
    """Return the loopback host and port of ALSOREAD_CONNECT_TO, which gets every request; None if not set.

    Raises ValueError for anything but `http://127.0.0.1:PORT`.
    """
    value = settings["ALSOREAD_CONNECT_TO"]
    if not value:
        return None
    with suppress(ValueError):
        parts = urlsplit(value)
        if parts.scheme == "http" and parts.port and IPv4Address(parts.hostname or "").is_loopback:
            return str(parts.hostname), parts.port
    raise ValueError(f"ALSOREAD_CONNECT_TO must be a loopback address (http://127.0.0.1:8080): {value}")


class HttpHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP/1.1 handler with capped headers, ALSOREAD_CONNECT_TO, and failures in words.

    What goes wrong arrives in the errback as Refused (address, too-large) or Failed.
    """

    lazy = True  # setting TLS up takes a while, and not every crawl meets both schemes

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        if server := connect_to(crawler.settings):
            self._pool = _OneServerPool(self._pool._reactor, *server)
            self._pool.maxPersistentPerHost = crawler.settings.getint("CONCURRENT_REQUESTS")
        self._pool._factory = OneResponseFactory
        self._contextFactory: Any = _SharedTLS(self._contextFactory)

    async def download_request(self, request: Request) -> Response:
        """Return the response as it was received; the request's meta gets the exchange, among its `exchanges`."""
        try:
            with recorded(request, partial(begin_delay, self._crawler, request)) as recording:
                response = await super().download_request(request)
        except (Failed, Refused, StopDownload):
            raise
        except CannotResolveHostError as error:
            raise unresolved(urlparse_cached(request).hostname or "") from error
        except DownloadCancelledError as error:  # Scrapy cancels for one reason alone: DOWNLOAD_MAXSIZE
            raise Refused("too-large", f"{request.url} is over {self._default_maxsize} bytes") from error
        except Exception as error:
            raise failed_download(error, request) from error
        if "download_stopped" not in response.flags:
            exchange = recording.exchange(request.url, str(response.ip_address or "") or None)
            request.meta.setdefault("exchanges", []).append(exchange)
        if response.status not in VALID_STATUSES:
            raise Failed(f"the server answered with a status that is not valid: {response.status}")
        return response


class _OneServerPool(HTTPConnectionPool):
    """Give connections to one server, whatever host a request is for."""

    def __init__(self, reactor: ReactorBase, host: str, port: int) -> None:
        super().__init__(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self._server: Any = TCP4ClientEndpoint(reactor, host, port)

    def getConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[HTTP11ClientProtocol]:
        return super().getConnection("ALSOREAD_CONNECT_TO", self._server)


@implementer(IPolicyForHTTPS)
class _SharedTLS:
    """Verify every host by its own name, with one set of authorities: a set costs 15 ms and 0.9 MB.

    Scrapy makes one for each connection, and its options for each request even where a connection is open.
    """

    def __init__(self, policy: Any) -> None:
        self._connection = policy.creatorForNetloc(b"localhost", 443)._createConnection
        self._creators: dict[bytes, ClientTLSOptions] = {}

    def creatorForNetloc(self, hostname: bytes, port: int) -> ClientTLSOptions:
        if hostname not in self._creators:
            self._creators[hostname] = ClientTLSOptions(self._connection, hostname.decode("ascii"))
        return self._creators[hostname]
