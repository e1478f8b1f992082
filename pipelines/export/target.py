"""The folder of an export: looking at its files, writing and removing them, and never outside of it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from crawler.errors import ArchiveError

OWN = ".alsoread-export"
"""The export's own folder in it: the manifest, the lock, and what is half written."""

_SCRATCH = "writing"
"""So begins the name of the file that a process writes to; each has its own."""


class Stand(NamedTuple):
    """How a file stands on the disk: what tells, without reading it, whether it was touched."""

    size: int
    mtime: int


def digest(content: bytes) -> bytes:
    """What tells two contents apart."""
    return sha256(content).digest()


class Folder:
    """A folder that files are written to, each whole or not at all. Its methods raise OSError."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._prefix = f"{root}/"
        self._real = os.path.realpath(root)
        self._scratch = f"{root}/{OWN}/{_SCRATCH}.{os.getpid()}"
        self._inside: set[str] = set()

    def look(self, path: str) -> Stand | None:
        """How the file stands; None where there is none. A link or a folder is no file that we wrote."""
        try:
            found = os.lstat(self._prefix + path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stand(found.st_size, found.st_mtime_ns) if S_ISREG(found.st_mode) else Stand(-1, -1)

    def digest(self, path: str) -> bytes | None:
        """The digest of the file's content; None where it is no plain file."""
        try:
            with os.fdopen(
                os.open(self._prefix + path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb"
            ) as file:
                return digest(file.read()) if S_ISREG(os.fstat(file.fileno()).st_mode) else None
        except OSError:
            return None

    def write(self, path: str, content: bytes) -> Stand:
        """Writes a file and the folders above it."""
        file = os.open(self._scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
            found = os.fstat(file)
        finally:
            os.close(file)
        self._enter(path.rpartition("/")[0])
        os.replace(self._scratch, self._prefix + path)  # noqa: PTH105 - a Path takes as long as the writing
        return Stand(found.st_size, found.st_mtime_ns)

    def tidy(self) -> None:
        """Removes what exports left half written that were killed."""
        for scratch in (self.root / OWN).glob(f"{_SCRATCH}*"):
            scratch.unlink()

    def remove(self, path: str) -> None:
        """Removes a file, and the folders above it that have become empty."""
        if not self._is_inside(path.rpartition("/")[0]):
            return
        (self.root / path).unlink(missing_ok=True)
        for folder in (self.root / path).parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:
                break
            self._inside.discard(str(folder.relative_to(self.root)))

    def _enter(self, folder: str) -> None:
        if folder not in self._inside:
            if not self._is_inside(folder):
                raise ArchiveError(
                    f"{self.root / folder} leads out of {self.root}: nothing is written there.", 6
                )
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            self._inside.add(folder)

    def _is_inside(self, folder: str) -> bool:
        real = os.path.realpath(self._prefix + folder)
        return real == self._real or real.startswith(f"{self._real.rstrip('/')}/")
