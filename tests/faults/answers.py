"""Rows of what servers answer: statuses, framing, compression and types."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from http import HTTPStatus

import brotli  # type: ignore[import-untyped]
from backports import zstd

from tests.faults.pages import page
from tests.faults.row import CHANGED, GOOD, Row, fault, stored
from tests.support.hostile import PAGES, reply, says

_PAGE = page().encode()
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_TRIES = 3
_MOVED = (301, 302, 303, 307, 308)
_GONE = (404, 410)
_STATUSES = (
    *(201, 202, 203, 205, 206, 207, 208, 226, 299, 300, *_MOVED, 304, 305, 306, 399),
    *(400, 401, 402, 403, *_GONE, 405, 406, 407, 408, 409, 411, 412, 413, 414, 415, 418, 421, 425, 428),
    *(429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 509, 511, 520, 522, 530, 599),
)


def statuses() -> Iterator[Row]:
    """Every kind of status, with a good page behind it: only 200 says that this is the page."""
    for status in _STATUSES:
        name, phrase = f"status-{status}", _phrase(status)
        answer = says(reply(_PAGE, f"{status} {phrase}"))
        said = f"the server answers {status} {phrase}"
        if status in _MOVED:
            yield from fault(name, "statuses", answer, "failed", "redirects without saying where")
        elif status == 304:
            bare = b"HTTP/1.1 304 Not Modified\r\n\r\n"
            yield from fault(name, "statuses", bare, "failed", "304 Not Modified to a request that did not")
        elif status in _GONE:
            yield from fault(name, "statuses", answer, "gone", said, asks=1)
        else:
            yield from fault(name, "statuses", answer, "failed", said, asks=_TRIES)
    for name, line in {
        "204": b"HTTP/1.1 204 No Content\r\n\r\n",
        "205-bare": b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    }.items():
        yield from fault(f"status-{name}", "statuses", line, "failed", f"the server answers {name[:3]} ")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no known status)"


_LINES = {
    "099": b"HTTP/1.1 099 Odd\r\n",
    "9999": b"HTTP/1.1 9999 Odd\r\n",
    "negative": b"HTTP/1.1 -200 OK\r\n",
    "float": b"HTTP/1.1 1e30 OK\r\n",
    "zero": b"HTTP/1.1 0 OK\r\n",
    "20": b"HTTP/1.1 20 OK\r\n",
    "999": b"HTTP/1.1 999 Odd\r\n",
    "600": b"HTTP/1.1 600 Odd\r\n",
    "letters": b"HTTP/1.1 2OO OK\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00" * 9,
    "word": b"HTTP/1.1 OK OK\r\n",
    "long": b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n",
    "unicode": "HTTP/1.1 ２００ OK\r\n".encode(),
    "no-version": b"200 OK\r\n",
    "other-protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no-status": b"HTTP/1.1\r\n",
    "nul": b"HTTP/1.1 \x00 OK\r\n",
}


def status_lines() -> Iterator[Row]:
    """First lines that no server should send: a sentence for each, no number that the catalog can't hold."""
    length = b"Content-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_PAGE)
    for name, line in _LINES.items():
        answer = says(line + length + _PAGE, then_close=True)
        yield from fault(f"line-{name}", "status lines", answer, "failed", "the server")


def framing() -> Iterator[Row]:
    """Bodies whose end is not where the headers say."""
    ended, sized = "the response ended early", b"Content-Length: %d\r\n\r\n"
    cuts = {
        f"length-cut-{tenth}0": _HEAD + sized % len(_PAGE) + _PAGE[: len(_PAGE) * tenth // 10]
        for tenth in range(1, 10)
    }
    cuts |= {
        f"chunk-cut-{tenth}0": _CHUNKED + b"%x\r\n" % len(_PAGE) + _PAGE[: len(_PAGE) * tenth // 10]
        for tenth in range(1, 10)
    }
    cuts |= {
        "length-over": _HEAD + sized % (len(_PAGE) + 1) + _PAGE,
        "length-huge": _HEAD + sized % 10_000_000 + _PAGE,
        "chunk-without-last": _CHUNKED + b"%x\r\n%s\r\n" % (len(_PAGE), _PAGE),
        "chunk-size-word": _CHUNKED + b"zz\r\n" + _PAGE + b"\r\n0\r\n\r\n",
        "chunk-size-huge": _CHUNKED + b"f" * 40 + b"\r\n" + _PAGE,
        "no-length": _HEAD + b"\r\n" + _PAGE,
        "http-1-0": b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + _PAGE,
    }
    for name, answer in cuts.items():
        yield from fault(name, "framing", says(answer, then_close=True), "failed", ended)
    broken = {
        "closed-at-once": b"",
        "closed-in-status": b"HTTP/1.1 20",
        "closed-in-headers": _HEAD,
        "two-lengths": _HEAD + b"Content-Length: 9\r\n" + sized % len(_PAGE) + _PAGE,
        "length-word": _HEAD + b"Content-Length: many\r\n\r\n" + _PAGE,
        "length-negative": _HEAD + b"Content-Length: -5\r\n\r\n" + _PAGE,
    }
    for name, answer in broken.items():
        yield from fault(name, "framing", says(answer, then_close=True), "failed", "the server")
    for name, path in {
        "headers-endless": "/endless-headers/",
        "headers-folded": "/endless-folding/",
        "headers-line": "/endless-line/",
        "continue-endless": "/endless-continue/",
    }.items():
        yield from fault(name, "framing", PAGES[path], "failed", " over ")
    long = reply(_PAGE, x_long="x" * 400_000)
    yield from fault("headers-long", "framing", long, "failed", " over ")
    many = {f"x_{number}": "y" * 900 for number in range(500)}
    yield from fault("headers-many", "framing", reply(_PAGE, **many), "failed", " over ")
    for name in ("endless-body", "endless-chunks", "huge-length"):
        yield from fault(name, "framing", PAGES[f"/{name}/"], "refused", "too-large")


def compression() -> Iterator[Row]:
    """Encoded bodies that are cut, corrupt, endless or of no known encoding."""
    packed = {
        "gzip": gzip.compress(_PAGE),
        "deflate": zlib.compress(_PAGE),
        "br": bytes(brotli.compress(_PAGE)),
        "zstd": zstd.compress(_PAGE),
    }
    for name, body in packed.items():
        for percent in (10, 50, 99):
            cut = reply(body[: len(body) * percent // 100], content_encoding=name)
            yield from fault(f"{name}-cut-{percent}", "compression", cut, "failed", "the response")
        yield from fault(
            f"{name}-plain", "compression", reply(_PAGE, content_encoding=name), "failed", "the response"
        )
        twice = reply(body, content_encoding=f"{name}, {name}")
        yield from fault(f"{name}-twice-said", "compression", twice, "failed", "the response")
        yield from fault(f"{name}-bomb", "compression", PAGES[f"/{name}-bomb/"], "refused", "too-large")
        yield _read(f"{name}-whole", "compression", reply(body, content_encoding=name))
    for name in ("nested-bomb", "layers-500"):
        yield from fault(name, "compression", PAGES[f"/{name}/"], "refused", "too-large")
    for name in ("rot13", "x-unknown", "exi", "pack200-gzip", "gzip;q=1"):
        label = "".join(char if char.isalnum() else "-" for char in name)
        answer = reply(_PAGE, content_encoding=name)
        yield from fault(f"encoding-{label}", "compression", answer, "failed", "is encoded as")


_TYPES = {
    "pdf-as-html": ("text/html", b"%PDF-1.7 ..."),
    "pdf": ("application/pdf", b"%PDF-1.7 ..."),
    "png-as-html": ("text/html", b"\x89PNG\r\n\x1a\n\0\0"),
    "jpeg-as-html": ("text/html", b"\xff\xd8\xff\xe0"),
    "gif-as-html": ("text/html", b"GIF89a\0\0"),
    "zip-as-html": ("text/html", b"PK\x03\x04\0\0"),
    "gzip-as-html": ("text/html", gzip.compress(_PAGE)),
    "mp4-as-html": ("text/html", b"\0\0\0\x18ftypmp42\0\0"),
    "bytes-as-html": ("text/html", b"\x01\0\0\x07" * 99),
    "json-as-html": ("text/html", b'{"title": "Coffee"}'),
    "json": ("application/json", b'{"title": "Coffee"}'),
    "list-as-html": ("text/html", b'[{"title": "Coffee"}]'),
    "xml": ("application/xml", b'<?xml version="1.0"?><rss/>'),
    "rss-as-html": ("text/html", b'<?xml version="1.0"?><rss/>'),
    "html-as-png": ("image/png", _PAGE),
    "html-as-css": ("text/css", _PAGE),
    "html-as-js": ("application/javascript", _PAGE),
    "html-as-json": ("application/json", _PAGE),
    "html-as-text": ("text/plain", _PAGE),
    "html-as-pdf": ("application/pdf", _PAGE),
    "text": ("text/plain", b"Coffee for two."),
}


def types() -> Iterator[Row]:
    """Bodies that are no page, whatever they call themselves."""
    for name, (kind, body) in _TYPES.items():
        answer = reply(body, content_type=kind)
        yield from fault(f"type-{name}", "types", answer, "refused", "wrong-type: expected HTML", asks=1)
    for name, body in {"empty": b"", "blank": b" \r\n\t "}.items():
        yield from fault(f"body-{name}", "types", reply(body), "failed", "the response has no body")
    for name, said in {
        "none": None,
        "octets": "application/octet-stream",
        "xhtml": "application/xhtml+xml",
        "parameters": "TEXT/HTML;;; charset",
    }.items():
        yield _read(f"type-{name}", "types", reply(_PAGE, content_type=said))


def _read(name: str, category: str, answer: bytes) -> Row:
    return stored(name, category, says(answer), title="Coffee for two", text="The kettle is filled")


def recoveries() -> Iterator[Row]:
    """What failed on the first visit is archived on the second; what changed replaces the copy."""
    for name, bad in {
        "status-500": reply(b"", "500 X"),
        "status-404": reply(b"", "404 X"),
        "status-403": reply(b"", "403 X"),
        "empty": reply(b""),
        "pdf": reply(b"%PDF-1.7 ..."),
        "gzip-cut": reply(gzip.compress(_PAGE)[:-9], content_encoding="gzip"),
        "captcha": reply(b"<html><title>Wait</title><p>Are you human?</p></html>"),
        "cut-in-text": reply(_PAGE[: len(_PAGE) // 2]),
    }.items():
        yield Row(
            id=f"recovers-{name}",
            category="recovery",
            first=says(bad),
            second=CHANGED,
            state="stored",
            copy="second",
        )
    yield Row(id="good-twice", category="recovery", first=GOOD, second=GOOD, state="stored", copy="first")
    yield Row(id="changed", category="recovery", first=GOOD, second=CHANGED, state="stored", copy="second")
