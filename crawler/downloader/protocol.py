"""Read one response for each request of a connection: capped headers, and nothing that was not asked for."""
# ruff: noqa: N802, D102, ARG002 - Twisted names these methods, and their arguments

from __future__ import annotations

import select
from typing import Any

from scrapy.core.downloader.handlers.http11 import (
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IAddress
from twisted.web._newclient import HEADER, HTTP11ClientProtocol, ParseError, RequestNotSent
from twisted.web._newclient import Request as TxRequest
from twisted.web.iweb import IResponse

from crawler.downloader.recording import Recording, recording_of
from crawler.responses import Failed

MAX_HEADER_BYTES = 300 * 1024  # what curl allows for the headers of one response


class ResponseParser(_LenientHTTPClientParser):
    """Fail if the headers are larger than MAX_HEADER_BYTES; Twisted itself has no limit."""

    header_bytes = 0

    def lineReceived(self, line: bytes) -> None:
        self.header_bytes += len(line)
        if self.header_bytes > MAX_HEADER_BYTES:
            raise Failed(f"the response headers are over {MAX_HEADER_BYTES} bytes")
        if self.state == HEADER and self._partialHeader is None and line[:1] in (b" ", b"\t"):
            # Twisted itself breaks over it.
            raise ParseError("the first header continues none", line)  # type: ignore[no-untyped-call]
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        raise Failed(f"a response header is over {self.MAX_LENGTH} bytes")


class OneResponseProtocol(_LenientHTTP11ClientProtocol):
    """Record each exchange, and close a connection on which a server sends more than it was asked for.

    Otherwise what follows a response, sent early or by mistake, is taken for the response to the next request.
    """

    _is_reused = False
    _recording: Recording | None = None

    def request(self, request: TxRequest) -> Deferred[IResponse]:
        """Send a request; fail with RequestNotSent if the server sent something since the last response."""
        transport: Any = self.transport
        if self._is_reused and _has_unread_bytes(transport):
            transport.loseConnection()
            return fail(RequestNotSent())  # the pool sends it on a new connection
        self._is_reused = True
        self._recording = recording_of(request)
        if self._recording:
            self._recording.begin(request)
        response = super().request(request)
        assert self._parser is not None  # noqa: S101
        self._parser.__class__ = ResponseParser  # as Scrapy does: request() has the parser's class hardcoded
        return response

    def dataReceived(self, data: bytes) -> None:
        if self._recording:
            self._recording.add(data)
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def _finishResponse(self, rest: bytes) -> None:
        """Return the connection to the pool, unless it brought bytes beyond the end of the response."""
        if self._recording:
            self._recording.cut(rest)
            self._recording = None
        if rest:
            self._currentRequest.persistent = False  # type: ignore[union-attr]
        super()._finishResponse(rest)


def _has_unread_bytes(transport: Any) -> bool:
    """Return whether something arrived that the event loop has not read; the end of the connection counts too."""
    arrived = select.poll()
    arrived.register(transport.fileno(), select.POLLIN)
    return bool(arrived.poll(0))


class OneResponseFactory(_LenientHTTP11ClientFactory):
    """Build the protocol of each new connection."""

    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:
        """Return a protocol that goes back to the pool by this factory's callback."""
        return OneResponseProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
