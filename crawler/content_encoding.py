"""Undo chunks and Content-Encoding strictly: a stream that is cut or broken is an error. Pure."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import deflate

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Undecodable(Exception):
    """A body is broken, or encoded in a way that nobody asked for."""


class TooLarge(Exception):
    """A body has more bytes than are allowed when it is unpacked."""


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """Decode one layer of Content-Encoding.

    Raises Undecodable where the stream is broken or ends early, TooLarge where it has more than `limit` bytes.

    >>> decode(zlib.compress(b"<p>text</p>"), "deflate", 100)
    b'<p>text</p>'
    """
    name = encoding.removeprefix("x-")
    decoder_of = ENCODINGS.get(name)
    if not decoder_of:
        raise Undecodable(f"the response is encoded as {encoding}, which was not asked for")
    if name == "gzip" and (content := _gunzip(body, limit)) is not None:
        return content
    decoded, magic = b"", body[:3]
    while body[:3] == magic:  # several gzip members or zstd frames may follow one another
        decoder = decoder_of(body)
        try:
            decoded += decoder.decompress(body, limit + 1 - len(decoded))
        except (zlib.error, brotli.error, zstd.ZstdError) as error:
            raise Undecodable(f"the response is broken: it can't be decompressed as {encoding}") from error
        if len(decoded) > limit:
            decoded = b""  # an error keeps what its frames hold
            raise TooLarge(f"over {limit} bytes when unpacked")
        if not decoder.eof:
            raise Undecodable(
                f"the response ended early: {encoding} without an end after {len(decoded)} bytes"
            )
        body = decoder.unused_data
    return decoded


def dechunked(body: bytes) -> tuple[bytes, bool]:
    """Return the content of chunks, and whether their end is there.

    >>> dechunked(b"4\\r\\ntext\\r\\n0\\r\\n\\r\\n"), dechunked(b"9\\r\\ntext")
    ((b'text', True), (b'text', False))
    """
    content, at = bytearray(), 0
    while (end := body.find(b"\r\n", at)) >= 0:
        try:
            size = int(body[at:end].partition(b";")[0].strip(), 16)
        except ValueError:
            break
        if size == 0:
            return bytes(content), True
        content += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return bytes(content), False


def _gunzip(body: bytes, limit: int) -> bytes | None:
    """Decompress a gzip body of a single member at once, in half of the time; None where it may be anything else."""
    size = int.from_bytes(body[-4:], "little")
    if 0 < size <= limit and body.find(body[:3], 1) < 0:  # else another member may follow
        with suppress(deflate.DeflateError):
            return bytes(deflate.gzip_decompress(body, size))
    return None


class _Decoder(Protocol):
    """Interface that the decoders of zlib and zstd share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Brotli:
    """Brotli's decoder with the interface of the others."""

    unused_data = b""

    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._decoder.is_finished())

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return bytes(self._decoder.process(data, output_buffer_limit=max_length))


def _inflate(body: bytes) -> _Decoder:
    zlib_header = body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)  # some servers send it bare


ENCODINGS: dict[str, Callable[[bytes], _Decoder]] = {
    # What we ask servers for, and how a body of it is read.
    "gzip": lambda _: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "deflate": _inflate,
    "br": lambda _: _Brotli(),
    "zstd": lambda _: zstd.ZstdDecompressor(),
}
