"""Write an export's files below its folder: each whole or not at all, and never through a symbolic link."""

from __future__ import annotations

import os
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import NamedTuple, Self

from pipelines.archive.tree import Tree

STATE_FOLDER = ".alsoread-export"
"""The export's own folder: its manifest, its lock and the staged files."""

_STAGED = "writing"
"""First part of the names of staged files."""
_numbers = count()


class FileStat(NamedTuple):
    """Size and time of a file: they tell whether it was touched, without reading it."""

    size: int
    mtime: int
    """Nanoseconds."""


class StagedFile(NamedTuple):
    """A file that is written, and not yet in its place."""

    name: str
    """Below the export's folder."""
    hash: bytes
    stat: FileStat


def digest(content: bytes) -> bytes:
    """Return the SHA-256 of a file's content as bytes, as the manifest has it."""
    return sha256(content).digest()


def stage(root: Path, content: bytes) -> StagedFile:
    """Write a file to the export's own folder below `root`. Raises OSError."""
    name = f"{STATE_FOLDER}/{_STAGED}.{os.getpid()}-{next(_numbers)}"
    with open(f"{root}/{name}", "xb") as file:  # noqa: PTH123 - a Path takes as long as the writing
        file.write(content)
        file.flush()
        stat = os.fstat(file.fileno())
    return StagedFile(name, digest(content), FileStat(stat.st_size, stat.st_mtime_ns))


class Folder:
    """The folder of an export, as a context manager that leaves no staged file in it.

    Its methods raise OSError; with ELOOP where a folder on the way is a symbolic link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tree = Tree(root)

    def __enter__(self) -> Self:
        self._discard_staged()  # of exports that were killed
        return self

    def __exit__(self, *_: object) -> None:
        self._discard_staged()
        self._tree.close()

    def stat(self, path: str) -> FileStat | None:
        """Return the file's size and time; None where there is no file, -1 for both where it is not a plain one."""
        try:
            stat = os.lstat(f"{self._root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileStat(stat.st_size, stat.st_mtime_ns) if S_ISREG(stat.st_mode) else FileStat(-1, -1)

    def hash(self, path: str) -> bytes | None:
        """Return the hash of the file's content; None where it is not a plain file, or can't be read."""
        try:
            content = self._tree.read(PurePosixPath(path))
        except OSError:
            return None
        return None if content is None else digest(content)

    def put_in_place(self, file: StagedFile, path: str) -> None:
        """Move a staged file to its path, with the folders that it needs."""
        self._tree.move(PurePosixPath(file.name), PurePosixPath(path))

    def discard(self, file: StagedFile) -> None:
        """Remove a staged file that is not wanted."""
        self._tree.remove(PurePosixPath(file.name))

    def remove(self, path: str) -> None:
        """Remove a file, and the folders above it that are empty then."""
        self._tree.remove(PurePosixPath(path))
        for folder in PurePosixPath(path).parents[:-1]:
            try:
                (self._root / folder).rmdir()
            except OSError:
                break

    def _discard_staged(self) -> None:
        for name in self._tree.names(PurePosixPath(STATE_FOLDER)):
            if name.startswith(_STAGED):
                self._tree.remove(PurePosixPath(STATE_FOLDER, name))
