"""Errors that several parts of the crawler share."""

from __future__ import annotations


class UnreadablePage(ValueError):
    """An article is on a page, and part of it would be lost: the reason, as a clause for people."""


class ReadError(OSError):
    """A file can't be read, which `filename` names; any other OSError is one of writing."""


class ArchiveError(Exception):
    """What was asked of the archive can't be done: a sentence that says why and what to do, and the exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[ArchiveError], tuple[str, int]]:
        """It comes over whole from another process."""
        return type(self), (str(self), self.exit_code)
