"""Pack files into a tar.gz or a zip, whose bytes depend on nothing but the files."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from typing import IO, Literal, NamedTuple

Kind = Literal["tar.gz", "zip"]


class Entry(NamedTuple):
    """A file that is to be packed."""

    path: str
    content: bytes
    changed_at: str
    """ISO 8601, UTC."""


def pack(out: IO[bytes], kind: Kind, entries: Iterable[Entry]) -> None:
    """Write the entries in their order."""
    (_tar if kind == "tar.gz" else _zip)(out, entries)


def _tar(out: IO[bytes], entries: Iterable[Entry]) -> None:
    with (
        gzip.GzipFile("", "wb", fileobj=out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, content, changed_at in entries:
            info = tarfile.TarInfo(path)
            info.size = len(content)
            info.mtime = int(datetime.fromisoformat(changed_at).timestamp())
            tar.addfile(info, BytesIO(content))


def _zip(out: IO[bytes], entries: Iterable[Entry]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content, changed_at in entries:
            moment = datetime.fromisoformat(changed_at)
            info = zipfile.ZipInfo(path, moment.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            packed.writestr(info, content)
