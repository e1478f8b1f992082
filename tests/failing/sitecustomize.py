"""Lets the writes, syncs and moves of a command fail from one on: Python imports it at its start by PYTHONPATH.

`FAILING_COUNT` names a file that grows by a byte for every such call of any of the command's processes; the call that
makes it as long as `FAILING_AT`, if that is not 0, and all after it fail with the error that `FAILING_WITH` names.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_write = os.write


def _count() -> int:
    """Count one call more; the end of a file that is only appended to is the same for all processes."""
    file = os.open(os.environ["FAILING_COUNT"], _APPEND)
    try:
        _write(file, b".")
        return os.lseek(file, 0, os.SEEK_CUR)
    finally:
        os.close(file)


def _fails(number: int) -> bool:
    return 0 < int(os.environ["FAILING_AT"]) <= number


def _failing(call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(target: Any, *args: Any, **kwargs: Any) -> Any:
        on_disk = not isinstance(target, int) or stat.S_ISREG(os.fstat(target).st_mode)
        if on_disk and _fails(_count()):
            code = getattr(errno, os.environ["FAILING_WITH"])
            name = Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else target
            raise OSError(code, os.strerror(code), os.fspath(name))
        return call(target, *args, **kwargs)

    return wrapped


if "FAILING_COUNT" in os.environ:
    for _name in ("write", "fsync", "replace", "rename", "link"):
        setattr(os, _name, _failing(getattr(os, _name)))
