"""Explain a failed download in a sentence for people, whatever library it failed in."""

from __future__ import annotations

import logging
import os

from OpenSSL import SSL
from scrapy import Request
from scrapy.exceptions import (
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from service_identity import VerificationError
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.web._newclient import ParseError
from twisted.web.client import ResponseFailed

from crawler.responses import Failed

_CLOSED = "the server closed the connection before its answer was complete"
_NOT_HTTP = "the server's answer is not valid HTTP"
_SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (VerificationError, "TLS: the certificate is for another name"),
    (ConnectionClosed, _CLOSED),
    # What Twisted's parser raises where a status line, a length or an encoding makes no sense.
    (ParseError, _NOT_HTTP),
    (ValueError, _NOT_HTTP),
    (KeyError, _NOT_HTTP),
)

logger = logging.getLogger(__name__)


def failed_download(error: Exception, request: Request) -> Failed:
    """Return the failure of a request, in a sentence. What has none goes to the log."""
    if isinstance(error, DownloadTimeoutError):
        return Failed(f"no complete answer within {request.meta['download_timeout']:g} seconds")
    if isinstance(error, DownloadConnectionRefusedError):
        return Failed("the server refuses connections")
    if isinstance(error, ResponseDataLossError):
        return Failed("the response ended early")
    causes: list[BaseException] = [error]
    if isinstance(error, DownloadFailedError) and isinstance(error.__cause__, ResponseFailed):
        causes = [failure.value for failure in error.__cause__.reasons]
    sentences = [sentence for cause in causes if (sentence := _sentence(cause))]
    if not sentences:
        logger.error("The download of %s failed: %r", request.url, error, exc_info=error)
        sentences = ["the download failed for a reason that only the log has"]
    return Failed("; ".join(dict.fromkeys(sentences)))


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, SSL.Error):
        reasons = error.args[0] if error.args else ()
        return f"TLS: {', '.join(text for *_, text in reasons) or 'the connection broke off'}"
    if isinstance(error, ConnectError):
        why = f": {os.strerror(error.osError)}" if isinstance(error.osError, int) else ""
        return f"no connection could be made{why}"
    return next((sentence for kind, sentence in _SENTENCES if isinstance(error, kind)), None)
