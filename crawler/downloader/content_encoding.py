"""Decode Content-Encoding strictly: a stream that is cut or broken is an error. Pure."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from typing import Protocol

import brotli  # type: ignore[import-untyped]

from crawler.responses import Failed, Refused

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def decode(body: bytes, encoding: str, limit: int, url: str) -> bytes:
    """Decode one layer of Content-Encoding.

    Raises Failed where the stream is broken or ends early, Refused where it holds more than `limit` bytes.

    >>> decode(zlib.compress(b"<p>text</p>"), "deflate", 100, "https://howto.techidaily.com/")
    b'<p>text</p>'
    """
    decoder_of = ENCODINGS.get(encoding.removeprefix("x-"))
    if not decoder_of:
        raise Failed(f"the response is encoded as {encoding}, which was not asked for")
    decoded, magic = b"", body[:3]
    while body[:3] == magic:  # several gzip members or zstd frames may follow one another
        decoder = decoder_of(body)
        try:
            decoded += decoder.decompress(body, limit + 1 - len(decoded))
        except (zlib.error, brotli.error, zstd.ZstdError) as error:
            raise Failed(f"the response is broken: it can't be decompressed as {encoding}") from error
        if len(decoded) > limit:
            decoded = b""  # an error keeps what its frames hold
            raise Refused("too-large", f"{url} is over {limit} bytes when unpacked")
        if not decoder.eof:
            raise Failed(f"the response ended early: {encoding} without an end after {len(decoded)} bytes")
        body = decoder.unused_data
    return decoded


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
