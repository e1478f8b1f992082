"""Write an export's files below its folder: each whole or not at all, and never through a symbolic link."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import NamedTuple, Self

from pipelines.archive.tree import Tree

STATE_FOLDER = ".alsoread-export"
"""The export's own folder: its manifest, its lock and a file that is being written."""

_STAGED = PurePosixPath(STATE_FOLDER, "writing")
"""A file that is not whole yet."""


class FileStat(NamedTuple):
    """Size and time of a file: they tell whether it was touched, without reading it."""

    size: int
    mtime: int
    """Nanoseconds."""


def digest(content: bytes) -> bytes:
    """Return the SHA-256 of a file's content as bytes, as the manifest has it."""
    return sha256(content).digest()


class Folder:
    """Reach the files of an export, as a context manager that leaves no half-written one.

    Its methods raise OSError; with ELOOP where a folder on the way is a symbolic link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tree = Tree(root)

    def __enter__(self) -> Self:
        self._sweep()  # of exports that were killed
        return self

    def __exit__(self, *_: object) -> None:
        self._sweep()
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

    def write(self, path: str, content: bytes) -> FileStat:
        """Write a file, with the folders that it needs, and return its stat."""
        self._tree.create(_STAGED, content)
        stat = self._root.joinpath(_STAGED).stat()
        self._tree.move(_STAGED, PurePosixPath(path))
        return FileStat(stat.st_size, stat.st_mtime_ns)

    def remove(self, path: str) -> None:
        """Remove a file, and the folders above it that are empty then."""
        self._tree.remove(PurePosixPath(path))
        for folder in PurePosixPath(path).parents[:-1]:
            try:
                (self._root / folder).rmdir()
            except OSError:
                break

    def _sweep(self) -> None:
        for name in self._tree.names(PurePosixPath(STATE_FOLDER)):
            if name.startswith(_STAGED.name):
                self._tree.remove(PurePosixPath(STATE_FOLDER, name))


class UnchangedFolder(Folder):
    """Reach the files of an export as Folder does, but write and remove nothing."""

    def write(self, path: str, content: bytes) -> FileStat:  # noqa: ARG002
        """Return the stat of a file that is not written."""
        return FileStat(len(content), 0)

    def remove(self, path: str) -> None:
        """Leave the file."""

    def _sweep(self) -> None:
        """Leave what other exports write."""
