"""Write files below a folder, each whole or not at all, and never through a symbolic link.

A file is in its place before its row is committed, so it is pending until then: a list beside the files says which.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath

HALF_WRITTEN = ".writing"
"""The folder of files that are being written: hidden, and on the same disk as the files."""

_PENDING = "pending-"
"""What the names of the lists begin with that say which files are in place while their rows may not be."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_SYNC_ALL_FILES = 32
"""Files from which on it is quicker to wait for all that the disk has to write."""
_numbers = count()
_waiting_for_the_disk = ThreadPoolExecutor(8)


def hash_of(content: bytes) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return sha256(content).hexdigest()


@contextmanager
def files_written(root: Path) -> Iterator[Callable[[PurePosixPath, bytes], str]]:
    """Give a way to write files below a folder, each whole or not at all, unless it stands there already.

    It returns the file's hash. The files are on the disk and in their places when the block ends, and pending.
    Raises OSError; ELOOP where a folder below `root` is a symbolic link.
    """
    waiting: list[tuple[Path, PurePosixPath]] = []
    folders: set[PurePosixPath] = set()

    def put(name: PurePosixPath, content: bytes) -> str:
        if name.parent not in folders:
            _refuse_links(root, name.parent)
            folders.add(name.parent)
        if not _is_file_with(root / name, content):
            waiting.append((root / HALF_WRITTEN / f"{os.getpid()}-{next(_numbers)}", name))
            _write_new(waiting[-1][0], content)
        return hash_of(content)

    try:
        yield put
        _sync([temporary for temporary, _ in waiting])
        if waiting:
            _note_pending(root, [name for _, name in waiting])
        for temporary, name in waiting:
            _move(temporary, root / name)
    except BaseException:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
        raise


def forget_pending(root: Path) -> None:
    """Note that the rows of all files that this process wrote below a folder are committed."""
    _pending_list(root).unlink(missing_ok=True)


@contextmanager
def pending_files(root: Path) -> Iterator[set[PurePosixPath]]:
    """Give the pending files of all processes; they are so no more when the block ends well.

    For whoever knows that nobody else writes, as the holder of the catalog's write lock does.
    """
    lists = list((root / HALF_WRITTEN).glob(f"{_PENDING}*"))
    lines = [
        line for path in lists for line in path.read_bytes().decode(errors="surrogateescape").split("\n")
    ]
    names = map(PurePosixPath, filter(None, lines))
    yield {name for name in names if not name.is_absolute() and ".." not in name.parts}
    for path in lists:
        path.unlink(missing_ok=True)


def sweep(root: Path) -> int:
    """Remove what a killed run left half written. Returns how many files."""
    folder = root / HALF_WRITTEN
    folder.mkdir(parents=True, exist_ok=True)
    leftovers = [path for path in folder.iterdir() if not path.name.startswith(_PENDING)]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)  # the writer of a crawl that was killed may still be at work
    return len(leftovers)


def odd_entry(path: Path) -> str | None:
    """What an entry of an archive's folders is, where it is neither a file nor a folder."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "is a symbolic link, which is not followed"
    return None if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "is neither a file nor a folder"


def find_link(root: Path, name: PurePosixPath) -> Path | None:
    """The symbolic link that is on the way from a folder to a name below it, or that name itself."""
    return next(
        (root / part for part in (name, *name.parents) if part.parts and (root / part).is_symlink()), None
    )


def _refuse_links(root: Path, folder: PurePosixPath) -> None:
    if link := find_link(root, folder):
        raise OSError(errno.ELOOP, "a symbolic link is not written through", str(link))


def _is_file_with(path: Path, content: bytes) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode) and path.read_bytes() == content
    except FileNotFoundError:
        return False


def _pending_list(root: Path) -> Path:
    return root / HALF_WRITTEN / f"{_PENDING}{os.getpid()}"


def _note_pending(root: Path, names: Sequence[PurePosixPath]) -> None:
    """Append to the list of this process: a kill after it leaves no file that nobody knows of."""
    file = os.open(_pending_list(root), _APPEND, 0o666)
    try:
        os.write(file, "".join(f"{name}\n" for name in names).encode(errors="surrogateescape"))
    finally:
        os.close(file)


def _write_new(path: Path, content: bytes) -> None:
    try:
        file = os.open(path, _NEW, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, _NEW, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def _sync(files: Sequence[Path]) -> None:
    """Wait for the disk; at the same time for all files, as it then writes its journal once for many of them."""
    if len(files) > _SYNC_ALL_FILES:
        os.sync()
    else:
        list(_waiting_for_the_disk.map(_sync_one, files) if len(files) > 1 else map(_sync_one, files))


def _sync_one(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _move(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)
