"""Explain errors of the disk and of SQLite in a sentence; tell which of them end a run."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from crawler.errors import AlsoreadError, CatalogError, DiskError, LockedError, ReadError
from crawler.items import Outcome

_OUTCOMES: dict[type[AlsoreadError], Outcome] = {
    LockedError: Outcome.LOCKED,
    DiskError: Outcome.DISK,
    CatalogError: Outcome.CATALOG,
}
"""Outcomes of runs that such an error ends."""

# Whatever is written next fails as well; any other error is one file's own.
_ENDS_RUN = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE))
_PERMISSIONS = "Check who may write to it and its folder, and run the same command again."
_DISK_FAILED = {
    sqlite3.SQLITE_FULL: "can't be written: the disk is full. Make room, and run the same command again.",
    sqlite3.SQLITE_IOERR: "can't be read or written: the disk is full, or fails. "
    "Make room or check the disk, and run the same command again.",
    sqlite3.SQLITE_READONLY: f"can't be written: it is for reading only. {_PERMISSIONS}",
    sqlite3.SQLITE_CANTOPEN: f"can't be opened. {_PERMISSIONS}",
    sqlite3.SQLITE_PERM: f"can't be opened: permission denied. {_PERMISSIONS}",
}
"""Messages of SQLite's primary result codes that are the fault of the disk."""
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def ends_run(error: BaseException) -> bool:
    """Return whether an error ends a run, as the next write would fail as well."""
    if isinstance(error, sqlite3.Error):
        return _code(error) in (*_DISK_FAILED, *_LOCKED)
    return isinstance(error, OSError) and error.errno in _ENDS_RUN


def is_lock_error(error: BaseException) -> bool:
    """Return whether another program locked the catalog for longer than the timeout."""
    return isinstance(error, sqlite3.Error) and _code(error) in _LOCKED


def is_full(error: sqlite3.Error) -> bool:
    """Return whether the disk is full; of a catalog that is only read, the disk of temporary files."""
    return _code(error) == sqlite3.SQLITE_FULL


def is_damaged(error: BaseException) -> bool:
    """Return whether SQLite found the catalog damaged."""
    return isinstance(error, sqlite3.Error) and _code(error) in _DAMAGED


def verb_of(error: OSError) -> str:
    """Return `read` or `written`: the access to a file that failed."""
    return "read" if isinstance(error, ReadError) else "written"


def outcome(error: OSError | sqlite3.Error) -> Outcome:
    """Return the outcome of a run that this error ended: `disk`, `locked` or `catalog`."""
    return _OUTCOMES[_class_of(error)]


def explain(error: OSError | sqlite3.Error, path: Path) -> AlsoreadError:
    """Return the error of a command that reads or writes the archive at `path`, with what to do."""
    if isinstance(error, OSError):
        message = f"{error.filename or path} can't be {verb_of(error)}: {error.strerror or error}."
    elif is_lock_error(error):
        message = f"{path} is locked by another program: try again when that has ended ({error})."
    elif reason := _DISK_FAILED.get(_code(error)):
        message = f"{path} {reason}"
    else:
        message = f"{path} can't be used as a catalog: {error}. `alsoread verify` says what is wrong."
    return _class_of(error)(message)


def _class_of(error: OSError | sqlite3.Error) -> type[AlsoreadError]:
    if isinstance(error, OSError):
        return DiskError
    if is_lock_error(error):
        return LockedError
    return DiskError if _code(error) in _DISK_FAILED else CatalogError


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; 0 if Python itself raised."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
