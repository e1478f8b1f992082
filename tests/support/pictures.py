"""A server with a picture for every fault, and archives of articles that show what they are told to."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed

from crawler.downloader.resolver import PublicOnlyResolver
from crawler.items import Image, Visit
from pipelines.archive.catalog import Catalog
from tests.site.pictures import png
from tests.support.commands import alsoread
from tests.support.hostile import Answer, Hit, Hostile, drips, reply, says

HOST = "https://pictures.example"
PNG = png("loaf")
OF_TYPES = {
    "png": PNG,
    "jpg": b"\xff\xd8\xff\xe0 a loaf \xff\xd9",
    "gif": b"GIF89a\1\0\1\0\0\0\0;",
    "webp": b"RIFF\x1a\0\0\0WEBPVP8L a loaf",
    "avif": b"\0\0\0\x1cftypavif a loaf",
    "bmp": b"BM\x1a\0\0\0\0\0\0\0 a loaf",
    "ico": b"\0\0\1\0\1\0 a loaf",
}
"""A picture of each type that is kept; nothing looks behind their first bytes."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
_SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def _bomb() -> bytes:
    """20,000 x 20,000 pixels in a few hundred bytes."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    packed = struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + packed + zlib.compress(bytes(50_000), 9)


def picture(body: bytes = PNG, status: str = "200 OK", **headers: str | None) -> Answer:
    return says(reply(body, status, **({"content_type": "image/png"} | headers)))


def moved(to: str) -> Answer:
    return picture(b"", "302 Found", location=to)


ANSWERS: dict[str, Answer] = {
    **{f"/loaf.{extension}": picture(body) for extension, body in OF_TYPES.items()},
    "/webp.jpg": picture(OF_TYPES["webp"], content_type="image/jpeg"),
    "/show.php?id=7": picture(content_type="application/octet-stream"),
    "/bomb.png": picture(_bomb()),
    "/script.svg": picture(_SCRIPT, content_type="image/svg+xml"),
    "/svg.png": picture(_SCRIPT),
    "/html.png": picture(b"<!doctype html><html>Not here any more</html>"),
    "/words.bmp": picture(b"BM is no picture of ours"),
    "/empty.png": picture(b""),
    "/short.png": says(_HEAD + b"Content-Length: 9999\r\n\r\n" + PNG, then_close=True),
    "/cut.png": says(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\n" + PNG[:30], then_close=True),
    "/unmarked.png": says(b"HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n" + PNG, then_close=True),
    "/large.png": drips(_HEAD + b"\r\n" + PNG, bytes(65536)),
    "/404.png": picture(status="404 Not Found"),
    "/410.png": picture(status="410 Gone"),
    "/500.png": picture(status="500 Internal Server Error"),
    "/304.png": says(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "/429.png": picture(status="429 Too Many Requests", retry_after="1000"),
    "/moved.png": moved("https://elsewhere.example/moved-1.png"),
    "/downgraded.png": moved("http://elsewhere.example/loaf.png"),
    "/moved-1.png": moved("/moved-2.png"),
    "/moved-2.png": moved("/loaf.png"),
    "/moved-often.png": moved("/moved-often-1.png"),
    "/moved-often-1.png": moved("/moved-often-2.png"),
    "/moved-often-2.png": moved("/moved.png"),
    "/loop.png": moved("/loop.png"),
    "/nowhere.png": picture(b"", "302 Found"),
    "/to-file.png": moved("file:///etc/passwd"),
    "/to-data.png": moved("data:image/png;base64,iVBORw0KGgo="),
    "/to-broken.png": moved("https://[broken/loaf.png"),
    "/to-private.png": moved("https://star.example/private/loaf.png"),
    "/private/loaf.png": picture(),
}


class Pictures(Hostile):
    """Serves ANSWERS by path, whatever the host; robots.txt by the first label of the host."""

    answers = ANSWERS

    def answer(self, hit: Hit) -> Answer:
        return self.answers.get(hit.target) or super().answer(hit)

    @property
    def pictures(self) -> list[str]:
        """What was asked for but robots.txt, in order."""
        return [f"{hit.host}{hit.target}" for hit in self.hits if hit.target != "/robots.txt"]


class OneName(PublicOnlyResolver):
    """Finds pictures.example here, and all else as in a crawl."""

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802
        return succeed("127.0.0.1") if name == "pictures.example" else super().getHostByName(name, timeout)


def archive(
    data: Path, shown: Sequence[str], url: str = "https://one.techidaily.com/bread/", **changes: Any
) -> Path:
    """An archive with an article that shows these pictures."""
    from tests.conftest import ARTICLE

    images = [Image(address, alt="A picture") for address in shown]
    body = "\n\n".join(f"![A picture](<{image.url}>)" for image in images)
    article = replace(ARTICLE, **{"url": url, "thumbnail": None, "images": images, "body": body} | changes)
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[])
    catalog.begin_crawl()
    catalog.add(Visit(url=url, state="stored", status=200, article=article))
    catalog.end_crawl("finished")
    catalog.close()
    return data


def fetch(data: Path, server: str, *options: str) -> subprocess.CompletedProcess[str]:
    done = alsoread("images", "--data", data, "--connect-to", server, *options)
    assert done.stderr == ""
    return done


def rows(data: Path, columns: str = "*", where: str = "1") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data / "archive.db")) as db:
        return db.execute(f"SELECT {columns} FROM pictures WHERE {where} ORDER BY url").fetchall()


def copies(data: Path) -> dict[str, bytes]:
    """Every file below images/, by its path there."""
    root = data / "images"
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
