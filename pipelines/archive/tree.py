"""Reach files below a folder without following a symbolic link: whoever puts one there leads nobody out of it.

The folder itself may be a link, as where it lies on another disk. Names are relative to it, without `..`.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath

from crawler.errors import ReadError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # without waiting for the writer of a pipe
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_OPEN_FOLDERS = 64
"""Maximum of folders that are open at a time."""
_LINK_MESSAGE = "it is a symbolic link, which is not followed: put the folder itself in its place"
_waiting_for_the_disk = ThreadPoolExecutor(8)


class Tree:
    """The files below a folder. Methods raise OSError, with ELOOP if a folder on the way is a link."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: dict[PurePosixPath, int] = {}

    def read(self, name: PurePosixPath) -> bytes | None:
        """Read a file; None if no file has the name, or if it is a link. Raises ReadError."""
        try:
            folder = self._folder(name.parent)
        except FileNotFoundError:
            return None
        try:
            return self._read(folder, name.name)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):  # nothing, a link, a socket
                return None
            raise ReadError(error.errno, error.strerror, str(self.root / name)) from None

    def _read(self, folder: int, name: str) -> bytes | None:
        file = os.open(name, _READ, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return None
            with open(file, "rb", buffering=0, closefd=False) as opened:
                return opened.read()
        finally:
            os.close(file)

    def is_folder(self, name: PurePosixPath) -> bool:
        """Return whether a folder has the name; a link to one does not count."""
        try:
            entry = os.stat(name.name, dir_fd=self._folder(name.parent), follow_symlinks=False)
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(entry.st_mode)

    def create(self, name: PurePosixPath, content: bytes) -> None:
        """Write a new file, with the folders that it needs."""
        self._write(name, content, _NEW)

    def append(self, name: PurePosixPath, content: bytes) -> None:
        """Write at the end of a file, which is made where there is none."""
        self._write(name, content, _APPEND)

    def _write(self, name: PurePosixPath, content: bytes, flags: int) -> None:
        file = os.open(name.name, flags, 0o666, dir_fd=self._folder(name.parent, make=True))
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
        finally:
            os.close(file)

    def sync(self, folder: PurePosixPath, names: Iterable[str]) -> None:
        """Wait until files of a folder are on the disk; for all of them at the same time."""
        descriptor = self._folder(folder)
        list(_waiting_for_the_disk.map(lambda name: _sync(descriptor, name), names))

    def move(self, name: PurePosixPath, to: PurePosixPath, target: Tree | None = None) -> None:
        """Give a file another name, in this tree or another, with the folders that it needs.

        It replaces what has that name, be it a link.
        """
        target = target or self
        folder = target._folder(to.parent, make=True)
        try:
            os.rename(name.name, to.name, src_dir_fd=self._folder(name.parent), dst_dir_fd=folder)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(target.root / to)) from None

    def remove(self, name: PurePosixPath) -> None:
        """Remove a file, be it a link, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(name.name, dir_fd=self._folder(name.parent))

    def names(self, folder: PurePosixPath) -> list[str]:
        """Return the names in a folder; none if there is no folder."""
        try:
            return os.listdir(self._folder(folder))  # noqa: PTH208 - pathlib takes no descriptor
        except FileNotFoundError:
            return []

    def close(self) -> None:
        """Close the folders."""
        for folder in self._open.values():
            os.close(folder)
        self._open.clear()

    def _folder(self, path: PurePosixPath, *, make: bool = False) -> int:
        """Return a folder's descriptor, which stays open while a few dozen others are used."""
        if path in self._open:
            folder = self._open.pop(path)
        else:
            folder = self._opened(path, make=make)
            if len(self._open) == _MAX_OPEN_FOLDERS:
                os.close(self._open.pop(next(iter(self._open))))
        # The last in the order, so that the one that was not used for longest is the first.
        self._open[path] = folder
        return folder

    def _opened(self, path: PurePosixPath, *, make: bool) -> int:
        if make:
            self.root.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.root, _FOLDER)
        for depth, part in enumerate(path.parts, 1):
            try:
                below = _step(folder, part, make=make)
            except OSError as error:
                number, what = error.errno, error.strerror
                if number in (errno.ELOOP, errno.ENOTDIR) and _is_link(folder, part):
                    number, what = errno.ELOOP, _LINK_MESSAGE
                raise OSError(number, what, str(self.root.joinpath(*path.parts[:depth]))) from None
            finally:
                os.close(folder)
            folder = below
        return folder


def _step(folder: int, part: str, *, make: bool) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
        with suppress(FileExistsError):  # another process may be as far
            os.mkdir(part, dir_fd=folder)
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)


def _sync(folder: int, name: str) -> None:
    file = os.open(name, _READ, dir_fd=folder)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _is_link(folder: int, name: str) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
