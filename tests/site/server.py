"""A server for a folder of hosts: which one answers is told by the Host header."""

from __future__ import annotations

import gzip
import mimetypes
import socket
import struct
import sys
from collections.abc import Mapping
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, unquote

_COMPRESSED = ("text/", "application/xml", "image/svg")


class Request(NamedTuple):
    """A request that was answered, with its headers in lower case."""

    host: str
    path: str
    status: int
    headers: dict[str, str]
    at: float
    """When it arrived, by the clock of `monotonic`."""


class Reply(NamedTuple):
    """What the site answers."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Site:
    """Serves `root/HOST/...` on 127.0.0.1 while it is open, the way that static hosts do.

    Files are read anew for each request, so a test may change them meanwhile; the `_redirects` files
    (`/from /to 301` a line) are read once. `log` holds every request in the order of the answers.
    """

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root = root
        self.log: list[Request] = []
        self._redirects = {
            (file.parent.name, start.rstrip("/")): (int(status), target)
            for file in root.glob("*/_redirects")
            for start, target, status in map(str.split, file.read_text(encoding="utf-8").splitlines())
        }
        self._server = _Server(("127.0.0.1", port), self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        path = path.partition("?")[0]
        redirect = self._redirects.get((host, path.rstrip("/")))
        if redirect:
            return Reply(redirect[0], {"Location": redirect[1]})
        folder = self.root / host
        file = folder / unquote(path).strip("/")
        if not host or ".." in file.parts:
            return _missing(folder)
        try:
            if file.is_dir():
                if not path.endswith("/"):
                    return Reply(301, {"Location": quote(unquote(path)) + "/"})
                file /= "index.html"
            elif not file.is_file():
                file = file.with_name(f"{file.name}.html")  # /about is about.html
            return _content(file, headers)
        except (OSError, ValueError):  # no such file, or a name that no file can have
            return _missing(folder)


def _missing(folder: Path) -> Reply:
    page = folder / "404.html"
    return Reply(404, {"Content-Type": _type(page)}, page.read_bytes() if page.is_file() else b"")


def _content(file: Path, headers: Mapping[str, str]) -> Reply:
    body = file.read_bytes()
    kind = _type(file)
    tags = {
        "ETag": f'W/"{sha256(body).hexdigest()[:16]}"',  # weak: the same for both encodings
        "Last-Modified": formatdate(file.stat().st_mtime, usegmt=True),
        "Vary": "Accept-Encoding",
    }
    known = headers.get("if-none-match")
    if known == tags["ETag"] or (known is None and headers.get("if-modified-since") == tags["Last-Modified"]):
        return Reply(304, tags)
    if kind.startswith(_COMPRESSED) and "gzip" in headers.get("accept-encoding", ""):
        tags["Content-Encoding"] = "gzip"
        body = gzip.compress(body, compresslevel=1, mtime=0)
    return Reply(200, {"Content-Type": kind, **tags}, body)


def _type(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        super().__init__(address, _Handler)
        self.site = site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may end in the middle of an exchange."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        site = self.server.site
        at = monotonic() - _seconds_unread(self.connection)
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers.get("host", "").partition(":")[0].lower()
        reply = site.answer(host, self.path, headers)
        site.log.append(Request(host, self.path, reply.status, headers, at))
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 304:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if with_body:
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """The site keeps its own log."""


def _seconds_unread(connection: socket.socket) -> float:
    """How long ago the last bytes arrived, which a busy machine lets wait for their thread; 0 where it can't tell."""
    if not sys.platform.startswith("linux"):
        return 0.0
    tcp_info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 56)
    (milliseconds,) = struct.unpack_from("I", tcp_info, 52)  # tcpi_last_data_recv
    return float(milliseconds / 1000)
