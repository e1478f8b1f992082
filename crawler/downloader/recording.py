"""Record the bytes of an exchange as they pass its connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from scrapy import Request
from twisted.web._newclient import Request as TxRequest

from crawler.clock import now
from crawler.downloader.engine import after_writing
from crawler.items import Exchange

_HEADER = b"X-Alsoread-Recording"
"""Names the recording of a request on its way through Twisted; it is removed before the request is sent."""
# HTTP/1.1 103 Early Hints: more responses follow, and the last one answers
_INTERIM = re.compile(rb"HTTP/\d\.\d 1\d\d\b.*?\r?\n\r?\n", re.DOTALL)

_recordings: dict[bytes, Recording] = {}
"""Recordings of the requests that are under way, by the value of the header."""


class Recording:
    """The bytes of one request, and of the response to it."""

    def __init__(self, on_sent: Callable[[], None]) -> None:
        """`on_sent` is called when the request was sent, on each connection that it is sent on."""
        self._on_sent = on_sent
        self._sent = b""
        self._received: list[bytes] = []
        self._began_at: datetime = now()

    def begin(self, request: TxRequest) -> None:
        """Record a request that is sent now; what an earlier connection brought is forgotten."""
        lines = _Lines()
        writes: Any = request._writeHeaders
        writes(lines, None)
        self._sent, self._received, self._began_at = b"".join(lines), [], now()
        after_writing(self._on_sent)

    def add(self, data: bytes) -> None:
        """Record what was received."""
        self._received.append(data)

    def cut(self, rest: bytes) -> None:
        """Take back what was received behind the response."""
        if rest:
            self._received = [b"".join(self._received).removesuffix(rest)]

    def exchange(self, url: str, ip: str | None) -> Exchange:
        """Return the exchange, once the response is whole."""
        received = b"".join(self._received)
        while interim := _INTERIM.match(received):
            received = received[interim.end() :]
        return Exchange(url=url, request=self._sent, response=received, began_at=self._began_at, ip=ip)


class _Lines(list[bytes]):
    """What a request writes its lines to."""

    def writeSequence(self, lines: list[bytes]) -> None:  # noqa: N802 - Twisted's name
        """Take the lines."""
        self.extend(lines)


@contextmanager
def recorded(request: Request, on_sent: Callable[[], None]) -> Iterator[Recording]:
    """Have the exchange of a request recorded that the block sends; `on_sent` is called then."""
    recording = Recording(on_sent)
    key = str(id(recording)).encode()
    _recordings[key] = recording
    request.headers[_HEADER] = key
    try:
        yield recording
    finally:
        del request.headers[_HEADER], _recordings[key]


def recording_of(request: TxRequest) -> Recording | None:
    """Return the recording of a request that is about to be sent, and take its name out of the headers."""
    named = request.headers.getRawHeaders(_HEADER)
    sent_again: Recording | None = getattr(request, "recording", None)
    if not named:
        return sent_again
    request.headers.removeHeader(_HEADER)
    recording = _recordings.get(named[0])
    setattr(request, "recording", recording)  # noqa: B010 - for when another connection sends it again
    return recording
