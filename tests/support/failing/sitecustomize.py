"""Lets the writes, syncs, moves and commits of a command fail: Python imports it at its start by PYTHONPATH.

`FAILING_COUNT` names a file that grows by a byte for every such call of any process of the command; the calls that
make it as long as `FAILING_FIRST` to `FAILING_LAST` fail: commits as SQLite finds that it can't write to the catalog,
all others with the error that `FAILING_WITH` names.
"""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_write = os.write


def _fails() -> bool:
    """Count one call more; the end of a file that is only appended to is the same for all processes."""
    file = os.open(os.environ["FAILING_COUNT"], _APPEND)
    try:
        _write(file, b".")
        number = os.lseek(file, 0, os.SEEK_CUR)
    finally:
        os.close(file)
    return int(os.environ["FAILING_FIRST"]) <= number <= int(os.environ["FAILING_LAST"])


def _failing(call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(target: Any, *args: Any, **kwargs: Any) -> Any:
        on_disk = not isinstance(target, int) or stat.S_ISREG(os.fstat(target).st_mode)
        if on_disk and _fails():
            code = getattr(errno, os.environ["FAILING_WITH"])
            name = Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else target
            raise OSError(code, os.strerror(code), os.fspath(name))
        return call(target, *args, **kwargs)

    return wrapped


class _Connection(sqlite3.Connection):
    """A connection whose commits may fail, as those of a catalog that no byte can be written to."""

    def commit(self) -> None:
        self._ended(super().commit)

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        run = partial(super().execute, sql, *args)
        return self._ended(run) if sql.strip(" ;").upper() == "COMMIT" else run()

    def _ended(self, commit: Callable[[], Any]) -> Any:
        if not (self.in_transaction and _fails()):
            return commit()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            return commit()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


if "FAILING_COUNT" in os.environ:
    for _name in ("write", "fsync", "replace", "rename", "link"):
        setattr(os, _name, _failing(getattr(os, _name)))
    setattr(sqlite3, "connect", partial(sqlite3.connect, factory=_Connection))  # noqa: B010 - as above
