"""Write files below a folder, each whole or not at all, and never through a symbolic link.

A file is in its place before its row is committed, so it is pending until then: a list beside the files says which.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipelines.archive.tree import Tree

HALF_WRITTEN = ".writing"
"""Folder of files that are being written: hidden, and on the disk of the files."""

_FOLDER = PurePosixPath(HALF_WRITTEN)
_PENDING = "pending-"
"""Prefix of the lists of pending files; a process writes one of its own."""
_LINE = re.compile(r"^(new|old) ([0-9a-f]{64}) (.+)\n", re.MULTILINE)
_SYNC_ALL_FROM_FILES = 32
"""Number of files from which on one sync of the whole disk is faster."""
_numbers = count()


class _Staged(NamedTuple):
    """A file that is synced to the disk, and not yet in its place."""

    temporary: str
    """Its name in the folder of files that are being written."""
    name: PurePosixPath
    hash: str
    is_new: bool
    """Whether there was no file in its place."""


class Pending(NamedTuple):
    """A file in its place whose row may not be committed."""

    name: PurePosixPath
    hash: str
    is_new: bool
    """Whether there was no file in its place before."""


Put = Callable[[PurePosixPath, bytes], str]
"""Write a file at a name, and return its hash."""


def hash_of(content: bytes) -> str:
    """Return the SHA-256 of a file or a text's bytes, in hexadecimal."""
    return sha256(content).hexdigest()


def with_hash(name: str, source: str) -> str:
    """Return a name with `~` and eight digits of a hash of its source, so that no other source has it.

    >>> with_hash("Tea-Time", "Tea-Time")
    'Tea-Time~c89cfb18'
    """
    return f"{name}~{hash_of(source.encode())[:8]}"


@contextmanager
def files_written(root: Path) -> Iterator[Put]:
    """Write files below a folder, each whole or not at all, by the function that the block gets.

    A file that exists already is not written again. When the block ends, all are synced, in place and pending.
    Raises OSError; ELOOP where a folder below `root` is a symbolic link.
    """
    with closing(Tree(root)) as tree:
        staged: list[_Staged] = []
        try:
            yield lambda name, content: _stage(tree, name, content, staged)
            _sync(tree, staged)
            if staged:
                # Before they move: a kill after it leaves no file without a row or a line here.
                lines = [f"{'new' if file.is_new else 'old'} {file.hash} {file.name}\n" for file in staged]
                tree.append(_pending_list(), "".join(lines).encode())
            for file in staged:
                tree.move(_FOLDER / file.temporary, file.name)
        except BaseException:
            for file in staged:
                tree.remove(_FOLDER / file.temporary)
            raise


@contextmanager
def files_unwritten(root: Path) -> Iterator[Put]:  # noqa: ARG001
    """Stand in for `files_written`, and write nothing."""
    yield lambda _, content: hash_of(content)


def forget_pending(root: Path) -> None:
    """Mark the files that this process wrote below a folder as committed."""
    with closing(Tree(root)) as tree:
        if root.is_dir():
            tree.remove(_pending_list())


def has_pending(root: Path) -> bool:
    """Return whether some process wrote files below a folder and did not mark them as committed."""
    with closing(Tree(root)) as tree:
        return bool(_pending_lists(tree))


@contextmanager
def pending_files(root: Path) -> Iterator[list[Pending]]:
    """Yield the pending files of all processes, and mark them as committed when the block succeeds.

    Call it while nobody else can write: with the catalog's write lock.
    """
    with closing(Tree(root)) as tree:
        lists = _pending_lists(tree)
        noted = "".join((tree.read(path) or b"").decode(errors="replace") for path in lists)
        pending = [
            Pending(PurePosixPath(name), hash_, kind == "new") for kind, hash_, name in _LINE.findall(noted)
        ]
        yield [file for file in pending if not file.name.is_absolute() and ".." not in file.name.parts]
        for path in lists:
            tree.remove(path)


def read_file(root: Path, name: PurePosixPath) -> bytes | None:
    """Read a file below a folder; None if there is no file of that name. Raises OSError."""
    with closing(Tree(root)) as tree:
        return tree.read(name)


def remove_file(root: Path, name: PurePosixPath) -> None:
    """Remove a file below a folder, if there is one. Raises OSError."""
    with closing(Tree(root)) as tree:
        tree.remove(name)


def sweep(root: Path) -> None:
    """Remove the files that a killed run left half written."""
    with closing(Tree(root)) as tree:
        for name in tree.names(_FOLDER):
            if not name.startswith(_PENDING):
                tree.remove(_FOLDER / name)  # the writer of a crawl that was killed may still be at work


def odd_entry(path: Path) -> str | None:
    """Return what is wrong with an entry of a folder; None for a file or a folder."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "is a symbolic link, which is not followed"
    return None if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "is neither a file nor a folder"


def _pending_list() -> PurePosixPath:
    return _FOLDER / f"{_PENDING}{os.getpid()}"


def _pending_lists(tree: Tree) -> list[PurePosixPath]:
    return [_FOLDER / name for name in tree.names(_FOLDER) if name.startswith(_PENDING)]


def _stage(tree: Tree, name: PurePosixPath, content: bytes, staged: list[_Staged]) -> str:
    hash_, existing = hash_of(content), tree.read(name)
    if existing == content:
        return hash_
    # Before others are staged with it, which would fail as well.
    if existing is None and tree.is_folder(name):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(tree.root / name))
    file = _Staged(f"{os.getpid()}-{next(_numbers)}", name, hash_, existing is None)
    try:
        tree.create(_FOLDER / file.temporary, content)
    except OSError:
        tree.remove(_FOLDER / file.temporary)
        raise
    staged.append(file)
    return hash_


def _sync(tree: Tree, files: Sequence[_Staged]) -> None:
    """Sync files to the disk: one by one, or all of the disk where there are many."""
    if len(files) > _SYNC_ALL_FROM_FILES:
        os.sync()
    elif files:
        tree.sync(_FOLDER, [file.temporary for file in files])
