"""Let a command finish its work after its terminal or pipe is gone."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from crawler.exit_codes import DISK

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_READER_GONE = (errno.EPIPE, errno.EIO)


def survive_lost_readers() -> None:
    """Replace standard output and error with streams that drop what nobody can read any more."""
    sys.stdout, sys.stderr = _lasting(sys.stdout), _lasting(sys.stderr)


def _lasting(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed from the start; no file that is opened later gets its number now
        nowhere = _LastingFile(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
        return io.TextIOWrapper(io.BufferedWriter(nowhere), encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_LastingFile(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )


class _LastingFile(io.FileIO):
    error: OSError | None = None
    """The last error other than a lost reader, of either stream."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno not in _READER_GONE:
                _LastingFile.error = error
            return memoryview(data).nbytes


def check_written() -> None:
    """Exit with DISK if output went to a file that could not take it."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    if _LastingFile.error:
        message = f"alsoread: The output can't be written: {_LastingFile.error.strerror}."
        print(message, file=sys.stderr)  # noqa: T201
        sys.exit(DISK)
