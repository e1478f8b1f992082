"""Write WARC files (ISO 28500, version 1.1): one gzip member a record, appended in batches.

Records are written here and not by warcio, which parses HTTP headers and writes them in another spelling. Tell what a
file has up to its last whole record.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import zlib
from base64 import b32encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from hashlib import sha1
from pathlib import Path
from socket import gethostname
from typing import NamedTuple
from uuid import uuid4

import deflate

from crawler.clock import now
from crawler.items import Exchange, ResponseRecord, iso

FOLDER = "warc"
"""The folder of the files, in the archive's."""
PREFIX, SUFFIX = "alsoread-", ".warc.gz"
"""Around the names of our own files."""
MAX_FILE_BYTES = 10**9
"""Bytes from which on a file is followed by another."""

GZIP_WBITS = 16 + zlib.MAX_WBITS
"""Asks zlib for gzip."""
_MEMBER_LEVEL = 6
"""Of libdeflate: as small as zlib's level 6, in half of its time, which is the greater part of a record's."""
_ENCODED_LEVEL = 1
"""Where the server compressed the body, which then gets no smaller at any level."""

_RESPONSE = "application/http; msgtype=response"

IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_ENCODED = re.compile(rb"^content-encoding:", re.IGNORECASE | re.MULTILINE)
_HEADERS_OVER = re.compile(rb"\r?\n\r?\n")
_OWN_NAME = re.compile(rf"{re.escape(PREFIX)}[^/\x00-\x1f]+{re.escape(SUFFIX)}")


class Location(NamedTuple):
    """Where a record is: the name of its file, and the bytes of its gzip member."""

    file: str
    offset: int
    length: int

    @property
    def is_own(self) -> bool:
        """Return whether it can be a place in one of our own files."""
        return bool(_OWN_NAME.fullmatch(self.file)) and self.offset >= 0 and self.length > 0


class Original(NamedTuple):
    """An earlier response that a revisit record refers to."""

    url: str
    fetched_at: str


def split_response(response: bytes) -> tuple[bytes, bytes]:
    """Return the head of a response, with the empty line behind it, and its body as it was sent."""
    over = _HEADERS_OVER.search(response)
    end = over.end() if over else len(response)
    return response[:end], response[end:]


def digest_of(content: bytes) -> str:
    """Return a digest as WARC files and CDXJ indexes have it."""
    return name_of_digest(sha1(content, usedforsecurity=False).digest())


def name_of_digest(sha1_digest: bytes) -> str:
    """Return a SHA-1 as WARC files and CDXJ indexes have it."""
    return f"sha1:{b32encode(sha1_digest).decode()}"


class WarcWriter:
    """Append records to files of one run, which begin when the first record comes."""

    def __init__(
        self,
        folder: Path,
        crawl: int,
        info: Mapping[str, str],
        max_file_bytes: int = MAX_FILE_BYTES,
        *,
        shared: bool = False,
    ) -> None:
        """`info`: the fields of the record that begins each file, such as the software.

        `shared`: another process has the archive, and leaves a file alone as long as this one writes it. The
        folder has to be there.
        """
        self._folder, self._crawl, self._info = folder, crawl, info
        self._max_file_bytes, self._shared = max_file_bytes, shared
        self._descriptor: int | None = None
        self._path = folder
        self._size = 0
        self._serial = 0

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Take back what the block appends, unless it ends well. Raises OSError."""
        path, size = self._path, self._size
        try:
            yield
        except BaseException:
            if self._descriptor is not None:
                if self._path == path:
                    os.ftruncate(self._descriptor, size)
                    self._size = size
                else:
                    self.close()
                    self._path.unlink()
            raise

    def sync(self) -> None:
        """Return when all records are on the disk, before rows are committed that refer to them. Raises OSError."""
        if self._descriptor is not None:
            os.fdatasync(self._descriptor)

    def append(
        self,
        exchange: Exchange,
        payload_digest: str,
        revisit: str | None = None,
        original: Original | None = None,
    ) -> Location:
        """Append an exchange as two records, and return where that of the response is. Raises OSError.

        `revisit`: the profile of a revisit record, which has no body and refers to `original`.
        """
        head, _ = split_response(exchange.response)
        if revisit:
            record = _revisit_record(exchange, head, payload_digest, revisit, original)
        else:
            record = exchange.record or _response_record(exchange, head, payload_digest)
        location = self._write(record.member)
        request = {**_fields_of(exchange), "WARC-Concurrent-To": record.id}
        self._write(_member("request", "application/http; msgtype=request", request, exchange.request))
        return location

    def close(self) -> None:
        """Close the file; the next record begins another."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _write(self, record: bytes) -> Location:
        if self._descriptor is None or self._size + len(record) > self._max_file_bytes:
            self._begin(now())
        assert self._descriptor is not None  # noqa: S101
        offset = self._size
        _write_all(self._descriptor, record)
        self._size += len(record)
        return Location(self._path.name, offset, len(record))

    def _begin(self, moment: datetime) -> None:
        self.sync()
        self.close()
        if not self._shared:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._serial += 1
        run = f"{self._crawl:06}-{moment:%Y%m%d%H%M%S}-{self._serial:05}"
        # Archives that are merged may have runs of the same number, which began in the same second on one machine.
        self._path = self._folder / f"{PREFIX}{run}-{gethostname()}-{uuid4().hex[:8]}{SUFFIX}"
        self._descriptor = os.open(self._path, _NEW, 0o666)
        if self._shared:  # before its first byte: whoever closes files skips empty ones
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        fields = {
            "WARC-Record-ID": _new_id(),
            "WARC-Date": iso(moment),
            "WARC-Filename": self._path.name,
        }
        content = "".join(f"{key}: {value}\r\n" for key, value in self._info.items())
        record = _member("warcinfo", "application/warc-fields", fields, content.encode())
        _write_all(self._descriptor, record)
        self._size = len(record)


def is_being_written(path: Path) -> bool:
    """Return whether another process, which shares the folder, still writes a file. Raises OSError.

    Its lock ends with it, on this machine or another.
    """
    with path.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:  # another one says that the disk has no locks: then nobody has one
            return error.errno in (errno.EACCES, errno.EAGAIN)
    return False


def with_record(exchange: Exchange) -> Exchange:
    """Return an exchange with its response as a record: what takes long is then done before it is stored."""
    head, body = split_response(exchange.response)
    return replace(exchange, response=head, record=_response_record(exchange, head, digest_of(body)))


def _response_record(exchange: Exchange, head: bytes, payload_digest: str) -> ResponseRecord:
    fields = {**_fields_of(exchange), "WARC-Payload-Digest": payload_digest}
    level = _ENCODED_LEVEL if _ENCODED.search(head) else _MEMBER_LEVEL
    member = _member("response", _RESPONSE, fields, exchange.response, level)
    return ResponseRecord(fields["WARC-Record-ID"], payload_digest, member)


def _revisit_record(
    exchange: Exchange, head: bytes, payload_digest: str, profile: str, original: Original | None
) -> ResponseRecord:
    fields = {**_fields_of(exchange), "WARC-Payload-Digest": payload_digest, "WARC-Profile": profile}
    if original:
        fields["WARC-Refers-To-Target-URI"] = original.url
        fields["WARC-Refers-To-Date"] = original.fetched_at
    member = _member("revisit", _RESPONSE, fields, head)
    return ResponseRecord(fields["WARC-Record-ID"], payload_digest, member)


def _fields_of(exchange: Exchange) -> dict[str, str]:
    """Return the fields that all records of an exchange have, with an id for one of them."""
    fields = {
        "WARC-Record-ID": _new_id(),
        "WARC-Target-URI": exchange.url,
        "WARC-Date": iso(exchange.began_at),
    }
    return fields | {"WARC-IP-Address": exchange.ip} if exchange.ip else fields


def _new_id() -> str:
    return f"<urn:uuid:{uuid4()}>"


def _member(
    kind: str, content_type: str, fields: Mapping[str, str], block: bytes, level: int = _MEMBER_LEVEL
) -> bytes:
    """Return a record as a gzip member."""
    fields = {
        "WARC-Type": kind,
        **fields,
        "WARC-Block-Digest": digest_of(block),
        "Content-Type": content_type,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    record = b"WARC/1.1\r\n%bContent-Length: %d\r\n\r\n%b\r\n\r\n" % (head.encode(), len(block), block)
    return bytes(deflate.gzip_compress(record, level))


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
