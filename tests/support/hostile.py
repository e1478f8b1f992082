"""A server on loopback with one route a fault. It keeps what was asked of it in `hits`.

Pages are found by path, whatever the host; robots.txt by the first label of the host (`slow.techidaily.com`).
"""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import threading
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Self

import brotli  # type: ignore[import-untyped]
from backports import zstd

HTML = (
    b"<!DOCTYPE html><html><head><title>A page</title></head><body><p>"
    + b"text " * 200
    + b"</p></body></html>"
)
BOMB = bytes(64 * 2**20)  # over what a page may have, and what a process may grow by
FOREVER = 3600.0


@dataclass(frozen=True)
class Hit:
    """One request, as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    connection: int
    time: float = field(default_factory=monotonic)

    @property
    def host(self) -> str:
        return self.headers["host"]


Answer = Callable[[Hit, asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes = HTML, status: str = "200 OK", **headers: str | None) -> bytes:
    """A whole response; `content_type=None` leaves the header out."""
    fields = {"content_type": "text/html; charset=utf-8", "content_length": str(len(body))} | headers
    lines = [
        f"{name.replace('_', '-').title()}: {value}\r\n"
        for name, value in fields.items()
        if value is not None
    ]
    return f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode() + body


def says(response: bytes, *, then_close: bool = False, after: float = 0) -> Answer:
    """An answer that is these bytes."""

    async def answer(hit: Hit, writer: asyncio.StreamWriter) -> None:  # noqa: ARG001
        await asyncio.sleep(after)
        writer.write(response)
        await writer.drain()
        if then_close:
            writer.close()

    return answer


def drips(head: bytes, chunk: bytes, every: float = 0) -> Answer:
    """An answer that never ends."""

    async def answer(hit: Hit, writer: asyncio.StreamWriter) -> None:  # noqa: ARG001
        writer.write(head)
        while not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(every)

    return answer


async def _echo(hit: Hit, writer: asyncio.StreamWriter) -> None:
    writer.write(reply(b"<html>" + json.dumps(hit.headers | {"target": hit.target}).encode() + b"</html>"))


def _bare_deflate(body: bytes) -> bytes:
    return zlib.compress(body)[2:-4]


def _nested(body: bytes, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body, 1)
    return body


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": lambda body: zlib.compress(body, 1),
    "br": lambda body: bytes(brotli.compress(body, quality=1)),
    "zstd": zstd.compress,
}
ODD_STATUSES = ("9999", "099", "-200", "600", "1000000000000000000000")
"""Numbers that are no status."""
NO_STATUSES = ("1e30", "OK", "0x200")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_CORRUPT = bytearray(gzip.compress(HTML))
_CORRUPT[-6] ^= 255

PAGES: dict[str, Answer] = {
    "/ok/": says(reply()),
    "/refresh/": says(reply(b'<html><meta http-equiv="refresh" content="0;url=/ok/">')),
    "/echo/": _echo,
    "/set-cookie/": says(reply(set_cookie="id=1; Path=/; Domain=techidaily.com")),
    # Bodies that are not whole.
    **{f"/{name}/": says(reply(pack(HTML), content_encoding=name)) for name, pack in COMPRESSED.items()},
    **{
        f"/{name}-cut/": says(reply(pack(HTML)[:-9], content_encoding=name))
        for name, pack in COMPRESSED.items()
    },
    **{f"/{name}-bomb/": says(reply(pack(BOMB), content_encoding=name)) for name, pack in COMPRESSED.items()},
    "/bare-deflate/": says(reply(_bare_deflate(HTML), content_encoding="deflate")),
    "/gzip-members/": says(
        reply(gzip.compress(HTML[:99]) + gzip.compress(HTML[99:]), content_encoding="x-gzip")
    ),
    "/gzip-corrupt/": says(reply(bytes(_CORRUPT), content_encoding="gzip")),
    "/not-gzip/": says(reply(content_encoding="gzip")),
    "/encoding-unknown/": says(reply(content_encoding="rot13")),
    "/identity/": says(reply(content_encoding="identity")),
    "/pdf.html": says(
        reply(gzip.compress(b"%PDF-1.7"), content_type="application/pdf", content_encoding="gzip")
    ),
    "/layers-5/": says(reply(_nested(HTML, 5), content_encoding="gzip, gzip, gzip, gzip, gzip")),
    "/layers-500/": says(reply(_nested(HTML, 6), content_encoding=", ".join(["gzip"] * 500))),
    "/nested-bomb/": says(reply(_nested(BOMB, 2), content_encoding="gzip, gzip")),
    "/close-delimited/": says(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML, then_close=True),
    "/short/": says(_HEAD + b"Content-Length: 9999\r\n\r\n" + HTML, then_close=True),
    "/chunked-cut/": says(_CHUNKED + b"400\r\n" + HTML[:99], then_close=True),
    "/reset/": says(b"", then_close=True),
    # What has no end.
    "/endless-body/": drips(_HEAD + b"\r\n", bytes(65536)),
    "/endless-chunks/": drips(_CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n"),
    "/huge-length/": drips(_HEAD + b"Content-Length: 100000000000\r\n\r\n", bytes(65536)),
    "/endless-headers/": drips(_HEAD, b"".join(b"X-%d: %s\r\n" % (n, b"x" * 999) for n in range(64))),
    "/endless-folding/": drips(_HEAD + b"X-Folded: a\r\n", (b" " + b"x" * 999 + b"\r\n") * 64),
    "/endless-continue/": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 64),
    "/endless-line/": drips(_HEAD + b"X-Line: ", b"x" * 65536),
    "/many-headers/": says(_HEAD + b"X-Many: %s\r\n" % (b"x" * 999) * 200 + b"Content-Length: 1\r\n\r\nx"),
    # Servers that take their time.
    "/silent/": says(b"", after=FOREVER),
    "/slow-headers/": drips(_HEAD, b"X-Slow: 1\r\n", every=0.1),
    "/slow-body/": drips(_HEAD + b"Content-Length: 9999\r\n\r\n", b"x", every=0.1),
    # What is not a page.
    "/octet-stream/": says(reply(content_type="application/octet-stream")),
    "/no-type/": says(reply(content_type=None)),
    "/xhtml/": says(reply(b'<?xml version="1.0"?>\n<!-- x --><html/>', content_type="application/xhtml+xml")),
    "/utf-16/": says(reply(HTML.decode().encode("utf-16"))),
    "/plain-words/": says(reply(b"Words without a tag")),
    "/html-as-png/": says(reply(content_type="image/png")),
    "/html-as-text/": says(reply(content_type="text/plain")),
    "/pdf-as-html/": says(reply(b"%PDF-1.7 ...")),
    "/png-as-html/": says(reply(b"\x89PNG\r\n\x1a\n\0")),
    "/bytes-as-html/": says(reply(b"\x01\0\0\x07")),
    "/json-as-html/": says(reply(b'{"error": 1}')),
    "/pdf/": says(reply(b"%PDF-1.7 ...", content_type="application/pdf")),
    "/words-of-no-type/": says(reply(b"Words without a tag", content_type=None)),
    "/rss/": says(reply(b'<?xml version="1.0"?><rss/>', content_type="application/xml")),
    "/empty/": says(reply(b"")),
    "/spaces/": says(reply(b" \r\n")),
    # Statuses.
    "/204/": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/304/": says(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "/404/": says(reply(status="404 Not Found")),
    "/302/": says(reply(b"", "302 Found", location="http://example.org/")),
    "/503/": says(reply(status="503 Service Unavailable", retry_after="3")),
    **{f"/status-{code}/": says(reply(status=f"{code} Odd")) for code in (*ODD_STATUSES, *NO_STATUSES)},
    # What is no HTTP.
    "/status-long/": says(reply(status="9" * 5000)),
    "/other-protocol/": says(b"SSH-2.0-OpenSSH_9.6\r\n", then_close=True),
    "/half-a-status-line/": says(b"HTTP/1.1\r\n\r\n", then_close=True),
    "/first-header-folded/": says(b"HTTP/1.1 200 OK\r\n folded\r\nContent-Length: 0\r\n\r\n"),
    "/version-odd/": says(b"HTTP/one 200 OK\r\n\r\n", then_close=True),
    "/lengths-that-differ/": says(_HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    "/length-negative/": says(_HEAD + b"Content-Length: -1\r\n\r\n", then_close=True),
    "/transfer-encoding-unknown/": says(_HEAD + b"Transfer-Encoding: rot13\r\n\r\n", then_close=True),
    "/chunk-size-odd/": says(_CHUNKED + b"zz\r\n", then_close=True),
}


def _rules(text: str) -> Answer:
    return says(reply(text.encode(), content_type="text/plain"))


async def _gzip_if_asked(hit: Hit, writer: asyncio.StreamWriter) -> None:
    """Whoever takes gzip gets more of it than is read of a robots.txt."""
    rules = _PRIVATE.encode() + b"".join(b"# %x\n" % (3**n) for n in range(3000))
    packed = "gzip" in hit.headers["accept-encoding"]
    writer.write(reply(gzip.compress(rules), content_encoding="gzip") if packed else reply(rules))


_PRIVATE = "User-agent: *\nDisallow: /private/\n"
_FILLER = b"#" * (500 * 1024 - len(_PRIVATE) - len("\nDisallow: /"))

ROBOTS: dict[str, Answer] = {
    "star": _rules(_PRIVATE),
    "agent": _rules("User-agent: alsoread\nDisallow: /private/\n\nUser-agent: *\nDisallow: /\n"),
    "other": _rules("User-agent: otherbot\nDisallow: /\n"),
    "empty": _rules(""),
    "bom": says(reply(b"\xef\xbb\xbf" + _PRIVATE.encode())),
    "utf16": says(reply(_PRIVATE.encode("utf-16"))),
    "html": says(reply()),
    "garbage": says(reply(bytes(range(256)) * 99 + b"\n" + _PRIVATE.encode())),
    "huge": drips(_HEAD + b"\r\n" + _PRIVATE.encode(), b"Allow: /" + b"x" * 999 + b"\n"),
    "huge-length": drips(_HEAD + b"Content-Length: 100000000000\r\n\r\n" + _PRIVATE.encode(), b"# x\n" * 999),
    # The limit falls between the slash of the last rule and what follows it.
    "cut-rule": says(reply(_PRIVATE.encode() + _FILLER + b"\nDisallow: /" + b"x" * 99999)),
    "gzip": says(reply(gzip.compress(_PRIVATE.encode()), content_encoding="gzip")),
    "gzip-if-asked": _gzip_if_asked,
    "slow": says(reply(b"User-agent: *\nDisallow: /\n"), after=0.5),
    "delay": _rules("User-agent: *\nCrawl-delay: 0.3\n"),
    "long-delay": _rules("User-agent: *\nCrawl-delay: 86400\n"),
    "redirect": says(reply(b"", "301 Moved", location="http://redirected.techidaily.com/robots.txt")),
    "redirected": _rules(_PRIVATE),
    "redirect-to-page": says(reply(b"", "302 Found", location="/private/robots")),
    "loop": says(reply(b"", "302 Found", location="/robots.txt")),
    "outside": says(reply(b"", "302 Found", location="http://example.org/robots.txt")),
    "nowhere": says(reply(b"", "302 Found")),
    "no-address": says(reply(b"", "302 Found", location="http://[::1")),
    "bare-utf-8": says(reply(b"", "302 Found", location="/private/r\u00f6bots")),
    "silent": says(b"", after=FOREVER),
    "reset": says(b"", then_close=True),
    "cut": says(_HEAD + b"Content-Length: 9999\r\n\r\nUser-agent: *\n", then_close=True),
    **{
        status: says(reply(_PRIVATE.encode(), f"{status} X"))
        for status in ("403", "404", "410", "429", "500", "503")
    },
}
PAGES["/private/robots"] = PAGES["/private/r%C3%B6bots"] = _rules(_PRIVATE)
_NO_RULES = says(reply(b"", "404 Not Found"))
_NO_PAGE = says(reply(status="404 Not Found"))


class Hostile:
    """The server, in a thread of its own: `with Hostile() as server: ... server.url ... server.hits`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.hits: list[Hit] = []
        self._tls = tls
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *fields = head.strip().split("\r\n")
                headers = {
                    name.lower(): value for name, _, value in (field.partition(": ") for field in fields)
                }
                method, target, _ = line.split(" ")
                hit = Hit(method, target, headers, number)
                self.hits.append(hit)
                await self.answer(hit)(hit, writer)
                await writer.drain()
        writer.close()

    def answer(self, hit: Hit) -> Answer:
        """Return the answer to a request."""
        if hit.target == "/robots.txt":
            return ROBOTS.get(hit.host.partition(".")[0], _NO_RULES)
        return PAGES.get(hit.target, _NO_PAGE)


class Answering(Hostile):
    """Serves these answers by path."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        super().__init__()
        self.answers = answers

    def answer(self, hit: Hit) -> Answer:
        return self.answers.get(hit.target) or super().answer(hit)
