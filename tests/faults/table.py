"""The table: one row a fault. A new fault is a new row."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import brotli  # type: ignore[import-untyped]
from backports import zstd

from tests.faults.pages import GOOD, page_with
from tests.hostile import reply


class Fault(NamedTuple):
    """What a server answers, and what must become of the page on a first visit, with a reason that says this."""

    category: str
    name: str
    answer: bytes
    state: str
    reason: str = ""


def _status(code: str, **headers: str | None) -> bytes:
    return reply(GOOD, f"{code} Some Reason", **headers)


def _statuses() -> Iterator[Fault]:
    for code in (404, 410):
        yield Fault("status", str(code), _status(str(code)), "gone", f"the server answers {code}")
    failed = [
        *range(400, 404),
        *range(405, 410),
        *range(411, 419),
        *range(421, 429),
        431,
        451,
        *range(500, 512),
    ]
    for code in failed:
        yield Fault("status", str(code), _status(str(code)), "failed", f"the server answers {code}")
    for code in (201, 202, 203, 206, 207, 226):
        yield Fault("status", str(code), _status(str(code)), "failed", str(code))
    for odd in ("099", "600", "999", "9999", "-200", "1e30", "abc", "2OO", "0", "20"):
        yield Fault("status", f"{odd} is none", _status(odd), "failed", "not valid")
    yield Fault("status", "304 that nobody asked for", b"HTTP/1.1 304 Not Modified\r\n\r\n", "failed", "304")
    for code in (204, 205):
        yield Fault(
            "status", str(code), f"HTTP/1.1 {code} No\r\nContent-Length: 0\r\n\r\n".encode(), "failed"
        )


def _first_reading(tenth: int) -> tuple[str, str]:
    """What a first visit makes of so much of a page: its text begins in the fourth tenth."""
    if tenth < 3:
        return "not_article", "no article on this page"
    return ("failed", "no text") if tenth == 3 else ("stored", "cut-off")


def _bodies() -> Iterator[Fault]:
    yield Fault("body", "empty", reply(b""), "failed", "no body")
    yield Fault("body", "blank", reply(b" \n\n "), "failed", "no body")
    for tenth in range(1, 9):
        part = GOOD[: len(GOOD) * tenth // 10]
        whole = f"{tenth * 10} % of the page"
        yield Fault("body", f"{whole}, as if it were all", reply(part), *_first_reading(tenth))
        yield Fault(
            "body", f"{whole}, and the connection ends", reply(GOOD)[: -len(GOOD)] + part, "failed", ""
        )
    packers = {
        "gzip": gzip.compress(GOOD),
        "deflate": zlib.compress(GOOD),
        "br": brotli.compress(GOOD),
        "zstd": zstd.compress(GOOD),
    }
    for name, packed in packers.items():
        yield Fault("encoding", name, reply(packed, content_encoding=name), "stored")
        for tenth in range(1, 10):
            cut = packed[: len(packed) * tenth // 10]
            yield Fault("encoding", f"{tenth * 10} % of {name}", reply(cut, content_encoding=name), "failed")
        yield Fault("encoding", f"{name} that is none", reply(GOOD, content_encoding=name), "failed")
        yield Fault("encoding", f"{name} twice", reply(packed, content_encoding=f"{name}, {name}"), "failed")
    yield Fault("encoding", "unknown", reply(GOOD, content_encoding="rot13"), "failed")
    bomb = gzip.compress(bytes(64 * 2**20))
    yield Fault("encoding", "gzip bomb", reply(bomb, content_encoding="gzip"), "refused", "too-large")


_TYPES = {
    "application/pdf": b"%PDF-1.7\n" + bytes(500),
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(500),
    "image/gif": b"GIF89a" + bytes(500),
    "application/zip": b"PK\x03\x04" + bytes(500),
    "application/json": b'{"title": "no page"}',
    "video/mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(500),
}


def _types() -> Iterator[Fault]:
    for kind, body in _TYPES.items():
        yield Fault("type", f"{kind}, said so", reply(body, content_type=kind), "refused", "wrong-type")
        if kind != "application/json":
            yield Fault("type", f"{kind} as HTML", reply(body), "refused", "wrong-type")


_CHARSETS = (
    *(
        "utf-8",
        "UTF8",
        "utf-16",
        "utf-16le",
        "utf-32",
        "utf-7",
        "iso-8859-1",
        "latin-1",
        "windows-1252",
        "ascii",
    ),
    *("gbk", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr", "koi8-r", "iso-2022-jp", "iso-2022-kr", "hz"),
    *("punycode", "idna", "hex", "base64", "zlib", "bz2", "rot13", "undefined", "unicode_escape"),
    *("raw_unicode_escape", "mbcs", "x-user-defined", "../../etc/passwd", "🫖"),
)


def _charsets() -> Iterator[Fault]:
    for label in _CHARSETS:
        kind = f"text/html; charset={label}".encode().decode("latin-1")
        yield Fault("charset", label, _with_type(kind), "stored")


def _with_type(kind: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(GOOD)}\r\n\r\n"
    return head.encode("latin-1") + GOOD


_ELSEWHERE = (
    *("http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/"),
    *(
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://localhost/",
    ),
    *(
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://172.16.0.1/",
        "http://169.254.169.254/latest/meta-data/",
    ),
    *("http://[fd00:ec2::254]/", "http://[fec0::1]/", "http://[64:ff9b::7f00:1]/", "http://100.64.0.1/"),
    *(
        "https://example.org/",
        "https://techidaily.com.example.org/",
        "https://user@example.org/",
        "//example.org/",
    ),
)
_NO_ADDRESSES = (
    *(
        "file:///etc/passwd",
        "data:text/html,hello",
        "javascript:alert(1)",
        "ftp://example.org/",
        "gopher://x/",
    ),
    *("http://[::1", "http://", "https://a b.example/", "https://example.org:99999/"),
)


def _redirects() -> Iterator[Fault]:
    for status in ("301 Moved Permanently", "307 Temporary Redirect"):
        for target in _ELSEWHERE:
            answer = reply(b"", status, location=target)
            yield Fault("redirect", f"{status[:3]} {target}", answer, "not_article", "redirects to")
        for target in _NO_ADDRESSES:
            answer = reply(b"", status, location=target)
            yield Fault("redirect", f"{status[:3]} {target}", answer, "failed", "no address")
    yield Fault("redirect", "without Location", reply(b"", "302 Found"), "failed", "without saying where")
    yield Fault(
        "redirect", "empty Location", reply(b"", "302 Found", location=""), "failed", "without saying where"
    )


_MARKUP = Path(__file__).with_name("markup.txt")
"""Content of an article that tries to become live, one a line."""


def _markup() -> Iterator[Fault]:
    for content in _MARKUP.read_text(encoding="utf-8").splitlines():
        yield Fault("markup", content, reply(page_with(content)), "stored")


def _limits() -> Iterator[Fault]:
    for wait in (
        "120",
        "Wed, 21 Oct 2099 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "-5",
        "soon",
        "1e9",
        "",
    ):
        for status in ("429 Too Many Requests", "503 Service Unavailable"):
            answer = reply(b"", status, retry_after=wait)
            yield Fault(
                "limit", f"{status[:3]}, Retry-After: {wait}", answer, "failed", f"answers {status[:3]}"
            )
    long = "x" * 400_000
    yield Fault("header", "of 400 kB", reply(GOOD, x_long=long), "failed")
    many = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 900) for n in range(500))
    yield Fault("header", "500 of 900 bytes", b"HTTP/1.1 200 OK\r\n" + many + b"\r\n" + GOOD, "failed")
    lengths = reply(GOOD).replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n", 1)
    yield Fault("header", "two lengths", lengths, "failed")
    yield Fault("header", "a length that is none", reply(GOOD, content_length="many"), "failed")
    yield Fault("header", "a length below 0", reply(GOOD, content_length="-5"), "failed")
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield Fault("header", "a chunk that is none", chunked + b"zz\r\n" + GOOD, "failed")
    yield Fault("header", "chunks that end early", chunked + b"fff\r\n" + GOOD[:100], "failed")
    yield Fault("header", "no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00" * 9, "failed")
    yield Fault("header", "nothing", b"", "failed")


_WALL = (
    b"<html><head><title>Just a moment</title></head><body><h1>Are you a human?</h1><p>%s</p></body></html>"
)


def _walls() -> Iterator[Fault]:
    for name, text in {
        "captcha": b"Please complete the security check to go on. " * 12,
        "parked": b"This domain may be for sale. Related searches: kettles, cups, tea. " * 12,
        "login": b"Log in to read on. Forgot your password? Create an account. " * 12,
    }.items():
        yield Fault("wall", name, reply(_WALL % text), "stored")


FAULTS = (
    *(*_statuses(), *_bodies(), *_types(), *_charsets()),
    *(*_redirects(), *_markup(), *_limits(), *_walls()),
)
