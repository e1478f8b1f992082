"""Read the records of WARC files, whoever wrote them, in flat memory.

A file may be gzipped record by record, as a whole, or not at all.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha1
from typing import IO, NamedTuple

from pipelines.archive.warc import GZIP_WBITS, digest_of, name_of_digest, split_response

MAX_BLOCK_BYTES = 24 * 2**20
"""Bytes of the largest block that is read whole: twice the largest response that a crawl takes, and its framing."""
_MAX_HEAD_BYTES = 64 * 2**10
_READ_BYTES = 1 << 18
_GZIP_MAGIC = b"\x1f\x8b"
_VERSION = re.compile(rb"WARC/\d+\.\d+\s*$")
_HEAD_OVER = re.compile(rb"\r?\n\r?\n")
_BLANK = b"\r\n"


class DamagedFile(Exception):
    """A file can't be read on from a byte: where that is, and why."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(f"at byte {offset:,}: {why}")


class Record(NamedTuple):
    """A whole record of a file."""

    offset: int
    """Where its gzip member begins, or itself in a file that is not gzipped."""
    length: int | None
    """Bytes of its gzip member; None where it has none of its own."""
    fields: dict[str, str]
    """Its fields, by lower-case name."""
    block: bytes | None
    """None if it is larger than MAX_BLOCK_BYTES."""
    head: bytes
    """The head of its HTTP message, with the empty line behind it, if its block has one."""
    digest: str
    """Of what stands behind that head."""

    @property
    def kind(self) -> str:
        """Return its type, such as `response`."""
        return self.fields.get("warc-type", "").lower()

    @property
    def url(self) -> str:
        """Return the address that it is about; old programs write it in angle brackets."""
        return self.fields.get("warc-target-uri", "").removeprefix("<").removesuffix(">")


class _Part:
    """The unpacked bytes of a file: of each gzip member in turn, or of all of it where it is not gzipped."""

    def __init__(self, file: IO[bytes], offset: int) -> None:
        self._file = file
        self._packed = b""
        self._read = offset
        self._unzip: zlib._Decompress | None = None
        self._over = True
        self.begin = offset
        self.buffer = bytearray()

    @property
    def end(self) -> int:
        """Return where in the file the bytes end that were unpacked so far."""
        return self._read - len(self._packed)

    def next(self) -> bool:
        """Go to the next member; return whether there is one. Raises DamagedFile."""
        if not self._packed:
            self._refill()
        while self._packed and not self._packed.strip(b"\0"):  # what a block device leaves behind
            self._packed = b""
            self._refill()
        if not self._packed:
            return False
        self.begin = self.end
        if len(self._packed) < len(_GZIP_MAGIC):
            self._refill()
        self._unzip = zlib.decompressobj(GZIP_WBITS) if self._packed.startswith(_GZIP_MAGIC) else None
        self._over = False
        return True

    def fill(self) -> bool:
        """Unpack more into the buffer; return whether there was more in this member. Raises DamagedFile."""
        while not self._over:
            if not self._packed:
                self._refill()
            if self._unzip is None:
                data, self._packed = self._packed, b""
                self._over = not data
            else:
                data = self._unpacked(self._unzip)
            if data:
                self.buffer += data
                return True
        return False

    def _unpacked(self, unzip: zlib._Decompress) -> bytes:
        if not self._packed:
            raise DamagedFile(self.begin, "the file ends in the middle of a record")
        try:
            data = unzip.decompress(self._packed, _READ_BYTES)
        except zlib.error:
            raise DamagedFile(self.begin, "what is there is not valid gzip") from None
        self._packed = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
        self._over = unzip.eof
        return data

    def _refill(self) -> None:
        data = self._file.read(_READ_BYTES)
        self._read += len(data)
        self._packed += data


def read_records(
    file: IO[bytes], offset: int = 0, copy: Callable[[bytes], object] | None = None
) -> Iterator[Record]:
    """Yield the records of a file that stands at an offset, each once it was read whole.

    `copy` is called with the bytes of each record, in pieces, before it is yielded. Raises DamagedFile where what
    follows is no whole record, and OSError.
    """
    part = _Part(file, offset)
    while part.next():
        alone = True
        at = part.begin
        while _skip_blank(part):
            record = _read_record(part, at, copy)
            more = _skip_blank(part)
            if alone and not more and part._unzip is not None:
                record = record._replace(length=part.end - part.begin)
            alone = False
            at = part.begin if part._unzip else part.end - len(part.buffer)
            yield record
            if not more:
                break


def _skip_blank(part: _Part) -> bool:
    """Skip empty lines; return whether more follows in the member."""
    while True:
        stripped = part.buffer.lstrip(_BLANK)
        if stripped:
            part.buffer = stripped
            return True
        part.buffer.clear()
        if not part.fill():
            return False


def _read_record(part: _Part, offset: int, copy: Callable[[bytes], object] | None) -> Record:
    fields, head = _read_fields(part, offset)
    size = fields.get("content-length", "")
    if not (size.isascii() and size.isdigit() and len(size) < 19):
        raise DamagedFile(offset, f"a record without a valid Content-Length ({size[:40]!r})")
    if copy:
        copy(head)
    block = _Block(int(size) <= MAX_BLOCK_BYTES)
    left = int(size)
    while left:
        if not part.buffer and not part.fill():
            raise DamagedFile(offset, "the file ends in the middle of a record")
        data = bytes(part.buffer[:left])
        del part.buffer[:left]
        left -= len(data)
        block.add(data)
        if copy:
            copy(data)
    return block.record(offset, fields)


def _read_fields(part: _Part, offset: int) -> tuple[dict[str, str], bytes]:
    """Read the head of a record: its fields, and its bytes with the empty line behind it."""
    while not (over := _HEAD_OVER.search(part.buffer)):
        if len(part.buffer) > _MAX_HEAD_BYTES:
            raise DamagedFile(offset, "what is there is not a record of a WARC file")
        if not part.fill():
            what = "the file ends in the middle of a record"
            if not part.buffer.startswith(b"WARC/"[: len(part.buffer)]):
                what = "what is there is not a record of a WARC file"
            raise DamagedFile(offset, what)
    head = bytes(part.buffer[: over.end()])
    del part.buffer[: over.end()]
    version, *lines = head[: over.start()].splitlines()
    if not _VERSION.match(version):
        raise DamagedFile(offset, "what is there is not a record of a WARC file")
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode(errors="replace").partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    return fields, head


class _Block:
    """The block of a record, or only its head and digest where it is too large to be held."""

    def __init__(self, whole: bool) -> None:
        self._whole = whole
        self._held = bytearray()
        self._head = b""
        self._hash = None if whole else sha1(usedforsecurity=False)
        self._hashing = False

    def add(self, data: bytes) -> None:
        if self._hash is None or not self._hashing:
            self._held += data
        else:
            self._hash.update(data)
        if self._hash and not self._hashing and len(self._held) > _MAX_HEAD_BYTES:
            self._head, payload = split_response(bytes(self._held))
            if len(payload) == 0:  # no head within its limit
                self._head, payload = b"", bytes(self._held)
            self._hash.update(payload)
            self._hashing = True
            self._held.clear()

    def record(self, offset: int, fields: dict[str, str]) -> Record:
        if self._hash:
            return Record(offset, None, fields, None, self._head, name_of_digest(self._hash.digest()))
        block = bytes(self._held)
        head, payload = split_response(block)
        return Record(offset, None, fields, block, head, digest_of(payload))
