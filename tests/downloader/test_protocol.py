"""A response that nobody asked for never becomes the next page of its connection."""

# mypy: allow-untyped-calls

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import closing
from pathlib import Path

import pytest
from twisted.internet.testing import StringTransport
from twisted.web._newclient import Request, RequestNotSent
from twisted.web.http_headers import Headers

from crawler.downloader.protocol import OneResponseProtocol
from tests.support.certificates import Authority
from tests.support.hostile import Answer, Hit, Hostile, reply
from tests.support.probe import OPEN, crawl

_PAGES = [f"/page-{number}/" for number in range(6)]
_TEXT = b"<html><p>The text of %s</p>"
_CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
)
_NO_BODY = b"HTTP/1.1 204 No Content\r\n\r\n"
_SMUGGLED = reply(_TEXT % b"another page")


class Smuggler(Hostile):
    """Send a response that nobody asked for after each page."""

    def __init__(self, way: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(tls)
        self._way = way

    def answer(self, hit: Hit) -> Answer:
        async def answer(_: Hit, writer: asyncio.StreamWriter) -> None:
            for part in self._parts(_TEXT % hit.target.encode()):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.02)

        return answer

    def _parts(self, page: bytes) -> list[bytes]:
        """Return what is sent, each part a moment after the last."""
        return {
            "at once": [reply(page) + _SMUGGLED],
            "cut in two": [reply(page) + _SMUGGLED[:50], _SMUGGLED[50:]],
            "after chunks": [_CHUNKED % (len(page), page) + _SMUGGLED],
            "after no body": [_NO_BODY + _SMUGGLED],
        }[self._way]


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "way",
    [
        "at once",
        "cut in two",
        "after chunks",
        "after no body",
    ],
)
def test_no_page_gets_a_response_that_nobody_asked_for(way: str, scheme: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = authority.context("howto.techidaily.com") if scheme == "https" else None
    with Smuggler(way, tls) as server:
        pages = [f"{scheme}://howto.techidaily.com:{server.port}{target}" for target in _PAGES]
        result = crawl(
            pages,
            {"SSL_CERT_FILE": str(authority.file)},
            ROBOTSTXT_OBEY=False,
            CONCURRENT_REQUESTS_PER_DOMAIN=1,
            **OPEN,
        )
    if way == "after no body":
        assert result.bodies == dict.fromkeys(pages, "")
    else:
        texts = [f"<html><p>The text of {target}</p>" for target in _PAGES]
        assert [result.bodies[page].rstrip() for page in pages] == texts


class _Connection(StringTransport):
    """A transport with a socket, on which bytes may wait that the event loop has not read."""

    def __init__(self, ours: socket.socket) -> None:
        super().__init__()
        self.fileno = ours.fileno


def _send_request(protocol: OneResponseProtocol) -> list[object]:
    """Send a request, and return the errors that it meets at once."""
    errors: list[object] = []
    headers = Headers({b"Host": [b"howto.techidaily.com"]})
    sent = protocol.request(Request(b"GET", b"/", headers, None, persistent=True))
    sent.addErrback(lambda failure: errors.append(failure.type))
    return errors


@pytest.mark.parametrize("unread", [b"", _SMUGGLED])
def test_no_request_is_sent_while_bytes_wait_that_nobody_asked_for(unread: bytes) -> None:
    """Where a connection is used again before the event loop comes round to what arrived on it."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        protocol, connection = OneResponseProtocol(), _Connection(ours)
        protocol.makeConnection(connection)
        assert _send_request(protocol) == []
        protocol.dataReceived(reply(b""))
        connection.clear()
        theirs.sendall(unread)
        errors = _send_request(protocol)
    if unread:
        assert (errors, connection.value(), connection.disconnecting) == ([RequestNotSent], b"", True)
    else:
        assert (errors, connection.disconnecting) == ([], False)
        assert connection.value().startswith(b"GET / HTTP/1.1")


def test_bytes_on_an_idle_connection_close_it() -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        protocol, connection = OneResponseProtocol(), _Connection(ours)
        protocol.makeConnection(connection)
        _send_request(protocol)
        protocol.dataReceived(reply(b""))
        assert not connection.disconnecting
        protocol.dataReceived(_SMUGGLED)
        assert connection.disconnecting
