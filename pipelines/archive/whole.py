"""Write a new file or folder of the person's choice, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.errors import DiskError, ReadError, UsageError


@contextmanager
def written_whole(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a path beside the target, and move what the block wrote there to the target if it ends well.

    Raises UsageError if the target exists, unless it is a file to `replace`, and DiskError if it can't be written;
    a ReadError passes.
    """
    if os.path.lexists(target) and not replace:
        raise UsageError(f"{target} exists: name another {'folder' if target.is_dir() else 'file'}.")
    half = target.with_name(f".{target.name}.part")
    try:
        _remove(half)  # of a command that was killed
        yield half
        _sync(half)
        half.rename(target)
        _sync(target.absolute().parent)
    except ReadError:
        raise
    except OSError as error:
        raise DiskError(f"{target} can't be written: {error.strerror or error}.") from None
    finally:
        _remove(half)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a ReadError of the file."""
    try:
        yield
    except OSError as error:
        raise ReadError(error.errno, error.strerror, str(path)) from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if path.is_dir():
        os.sync()
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
