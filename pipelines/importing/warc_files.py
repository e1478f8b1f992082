"""Find WARC files, also those in WACZ files, and bring them into the form of an archive's own."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from crawler.clock import parse_time
from pipelines.archive.warc import GZIP_WBITS, SUFFIX
from pipelines.archive.warc_reader import DamagedFile, Record, read_records
from pipelines.importing.files import Refused

_WACZ = ".wacz"
_SUFFIXES = (".warc", SUFFIX)
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
"""Errors of reading a zip file: RuntimeError where it is encrypted, the last one where it is packed oddly."""
_MAX_RATIO = 200
"""Times its packed size that a file in a WACZ file may have: text of pages has 10 at most."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME_CHARACTERS = 150
_PART = ".part"
_COPY_BYTES = 1 << 20
_NEVER = "9999"


class WarcFile(NamedTuple):
    """A WARC file: its path, or that of the WACZ file that it is in."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """Return its name for messages."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open it for reading. Raises OSError and UnreadableZip."""
        if self.member is None:
            with self.path.open("rb") as file:
                yield file
            return
        try:
            with zipfile.ZipFile(self.path) as packed, packed.open(self.member) as file:
                yield file
        except _BROKEN_ZIP as error:
            raise UnreadableZip(f"can't be read: {error}") from None


class UnreadableZip(Exception):
    """What a WACZ file has can't be read; the message is a clause that says why."""


def is_warc(path: Path) -> bool:
    """Return whether the name of a file is that of a WARC or a WACZ file."""
    return path.name.lower().endswith((*_SUFFIXES, _WACZ))


def find_warc_files(paths: Sequence[Path]) -> list[WarcFile | Refused]:
    """Return the WARC files of all paths and of the folders below, oldest first, and those that can't be used."""
    return sorted(chain.from_iterable(map(_find, paths)), key=_first_date)


def _find(path: Path) -> Iterator[WarcFile | Refused]:
    if path.is_dir():
        with os.scandir(path) as scanned:
            entries = sorted(entry.name for entry in scanned if not entry.name.startswith("."))
        for name in entries:
            below = path / name
            if below.is_symlink():
                if is_warc(below):
                    yield Refused(str(below), "a symbolic link, which is not followed")
            elif below.is_dir() or is_warc(below):
                yield from _find(below)
    elif is_warc(path) and not path.is_file():
        yield Refused(str(path), "not a file")
    elif path.name.lower().endswith(_WACZ):
        yield from _in_wacz(path)
    elif is_warc(path):
        yield WarcFile(path)


def _in_wacz(path: Path) -> Iterator[WarcFile | Refused]:
    try:
        with zipfile.ZipFile(path) as packed:
            members = [info for info in packed.infolist() if info.filename.lower().endswith(_SUFFIXES)]
    except (*_BROKEN_ZIP, OSError) as error:
        yield Refused(str(path), f"can't be read as a WACZ file: {error}")
        return
    if not members:
        yield Refused(str(path), "has no WARC files")
    for member in members:
        if member.file_size > max(member.compress_size, 1) * _MAX_RATIO:
            why = f"unpacks to more than {_MAX_RATIO} times its size"
            yield Refused(f"{path}/{member.filename}", why)
        else:
            yield WarcFile(path, member.filename)


def _first_date(file: WarcFile | Refused) -> str:
    """Return the date of a file's first record, by which files are put in order."""
    if isinstance(file, Refused):
        return _NEVER
    with suppress(OSError, UnreadableZip, DamagedFile), file.opened() as opened:
        record = next(read_records(opened), None)
        if record and (moment := parse_time(record.fields.get("warc-date"))):
            return moment.isoformat()
    return _NEVER


class Copy(NamedTuple):
    """A file in the form of an archive's own: each record is a gzip member."""

    path: Path
    damage: str | None
    """What of the original could not be read, and why."""


def copy_into(folder: Path, file: WarcFile) -> Copy:
    """Copy a file into a folder, whole or not at all, under its own name if that is free.

    What is there already is not copied again. Raises OSError, UnreadableZip, and DamagedFile if it has no record.
    """
    with file.opened() as source:
        if not (first := next(read_records(source), None)):
            raise DamagedFile(0, "it has no records")
    by_record = first.length is not None
    if by_record and file.member is None and _is_in(folder, file.path):
        return Copy(folder / file.path.name, None)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f".*{_PART}"):  # of an import that was killed
        left.unlink()
    part = folder / f".{os.getpid()}{_PART}"
    try:
        with part.open("xb") as target:
            with file.opened() as source:
                damage = _copy(source, target) if by_record else _repack(source, target)
            target.flush()
            os.fsync(target.fileno())
        path = _place(folder, file, part)
        if path.exists():
            damage = damage or _damage_behind(part, path.stat().st_size)
        else:
            part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return Copy(path, damage)


def _damage_behind(path: Path, offset: int) -> str | None:
    """Return why a file can't be read on from an offset; None if it can."""
    with path.open("rb") as file:
        file.seek(offset)
        try:
            for _ in read_records(file, offset):
                pass
        except DamagedFile as error:
            return str(error)
    return None


def _is_in(folder: Path, path: Path) -> bool:
    return folder.is_dir() and path.parent.samefile(folder) and path.name.endswith(SUFFIX)


def _place(folder: Path, file: WarcFile, part: Path) -> Path:
    """Return the path of a copy: its own name, or with eight digits of its hash where another file has that."""
    name = _UNSAFE.sub("_", PurePosixPath(file.member or file.path.name).name)
    stem = re.sub(r"\.warc(\.gz)?$", "", name, flags=re.IGNORECASE).lstrip(".")[:_MAX_NAME_CHARACTERS]
    path = folder / f"{stem or 'unnamed'}{SUFFIX}"
    if not path.exists() or _begins_with(part, path):
        return path
    digits = _hash_of(part)[:8]
    return folder / f"{stem}~{digits}{SUFFIX}"


def _begins_with(part: Path, existing: Path) -> bool:
    """Return whether a file is the copy of what is there: of one that was damaged, only what was whole is."""
    size = existing.stat().st_size
    return 0 < size <= part.stat().st_size and _hash_of(part, size) == _hash_of(existing)


def _hash_of(path: Path, size: int = -1) -> str:
    hashed, left = sha256(), path.stat().st_size if size < 0 else size
    with path.open("rb") as file:
        while left and (data := file.read(min(left, 1 << 20))):
            hashed.update(data)
            left -= len(data)
    return hashed.hexdigest()


def _copy(source: IO[bytes], target: IO[bytes]) -> str | None:
    """Copy a file as it is; return what could not be read. Raises OSError."""
    try:
        shutil.copyfileobj(source, target, _COPY_BYTES)
    except _BROKEN_ZIP as error:
        return f"can't be read to its end: {error}"
    return None


def _repack(source: IO[bytes], target: IO[bytes]) -> str | None:
    """Write each record as a gzip member; return what could not be read. Raises OSError."""
    packer = _Packer(target)
    try:
        for _ in read_records(source, copy=packer.add):
            packer.end()
    except DamagedFile as error:
        packer.drop()
        return str(error)
    except _BROKEN_ZIP as error:
        packer.drop()
        return f"can't be read to its end: {error}"
    return None


class _Packer:
    """Write records as gzip members."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._begin = 0
        self._packing: zlib._Compress | None = None

    def add(self, data: bytes) -> None:
        """Write a piece of a record."""
        if self._packing is None:
            self._begin = self._target.tell()
            self._packing = zlib.compressobj(wbits=GZIP_WBITS)
        self._target.write(self._packing.compress(data))

    def end(self) -> None:
        """End the record."""
        self.add(b"\r\n\r\n")
        assert self._packing  # noqa: S101 - add() began it
        self._target.write(self._packing.flush())
        self._packing = None

    def drop(self) -> None:
        """Take back the record that was begun."""
        if self._packing:
            self._target.seek(self._begin)
            self._target.truncate()
            self._packing = None


def records_of(path: Path) -> Iterator[Record]:
    """Yield the records of a copy. Raises DamagedFile and OSError."""
    with path.open("rb") as file:
        for record in read_records(file):
            if record.length is None:
                raise DamagedFile(record.offset, "several records in one gzip member")
            yield record


def read_record(path: Path, offset: int) -> Record | None:
    """Read the record at an offset of a copy; None if there is none. Raises OSError."""
    with suppress(DamagedFile), path.open("rb") as file:
        file.seek(offset)
        return next(read_records(file, offset), None)
    return None
