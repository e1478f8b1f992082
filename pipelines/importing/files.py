"""Find Markdown files: by their path, in folders, in tar and zip archives. Nothing is unpacked to disk."""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

MAX_FILE_BYTES = 10 * 2**20
"""The largest file that is imported; a crawl takes no larger page either."""

_SUFFIXES = (".md", ".markdown")
_OUTSIDE = "its name leads out of the archive that it is in"
_SYMLINK = "a symbolic link, which is not followed"
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)
"""Errors of reading a tar or zip; RuntimeError where it is encrypted."""


class File(NamedTuple):
    """A Markdown file: its name for messages, and its bytes or the path where they are."""

    name: str
    content: bytes | Path
    size: int = 0
    """In bytes, as it was when the file was found."""


class Refused(NamedTuple):
    """A file that is not imported, and why."""

    name: str
    reason: str


def find(path: Path) -> Iterator[File | Refused]:
    """Yield the Markdown files of a path, by name. Hidden ones and all other files are skipped in silence."""
    try:
        if path.is_dir():
            yield from _in_folder(path)
        elif not path.is_file():
            yield Refused(str(path), "not a file")
        elif not _is_markdown(path.name) and tarfile.is_tarfile(path):
            yield from _in_tar(path)
        elif not _is_markdown(path.name) and zipfile.is_zipfile(path):
            yield from _in_zip(path)
        else:
            yield _checked(str(path), path.stat().st_size, path)
    except _BROKEN as error:
        yield Refused(str(path), f"can't be read to its end: {error}")


def _in_folder(folder: Path) -> Iterator[File | Refused]:
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            if _is_markdown(entry.name) or entry.is_dir():
                yield Refused(entry.path, _SYMLINK)
        elif entry.is_dir():
            yield from find(Path(entry.path))
        elif entry.is_file() and _is_markdown(entry.name):
            yield _checked(entry.path, entry.stat().st_size, Path(entry.path))


def _in_tar(path: Path) -> Iterator[File | Refused]:
    with tarfile.open(path, "r|*") as tar:
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # else it keeps all that it has read
            name = f"{path}/{member.name}"
            if not _is_markdown(member.name):
                continue
            if member.issym() or member.islnk():
                yield Refused(name, _SYMLINK)
            elif _leads_out(member.name):
                yield Refused(name, _OUTSIDE)
            elif member.size > MAX_FILE_BYTES:
                yield _too_large(name, member.size)
            elif member.isfile() and (file := tar.extractfile(member)):
                yield File(name, file.read(MAX_FILE_BYTES), member.size)


def _in_zip(path: Path) -> Iterator[File | Refused]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = f"{path}/{member.filename}"
            if member.is_dir() or not _is_markdown(member.filename):
                continue
            if stat.S_ISLNK(member.external_attr >> 16):
                yield Refused(name, _SYMLINK)
            elif _leads_out(member.filename):
                yield Refused(name, _OUTSIDE)
            elif member.file_size > MAX_FILE_BYTES:
                yield _too_large(name, member.file_size)
            else:
                try:
                    with archive.open(member) as file:
                        yield File(name, file.read(MAX_FILE_BYTES), member.file_size)
                except _BROKEN as error:
                    yield Refused(name, f"can't be read: {error}")


def _checked(name: str, size: int, content: Path) -> File | Refused:
    return File(name, content, size) if size <= MAX_FILE_BYTES else _too_large(name, size)


def _too_large(name: str, size: int) -> Refused:
    return Refused(
        name, f"{size / 2**20:.0f} MB; the largest file that is imported has {MAX_FILE_BYTES >> 20} MB"
    )


def _is_markdown(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in _SUFFIXES and not any(
        part.startswith(".") and part not in (".", "..") for part in path.parts
    )


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts
