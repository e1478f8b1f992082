"""Errors that several rooms raise and handle."""

from __future__ import annotations


class UnreadablePage(ValueError):
    """A page whose article can't be read whole; the message is a clause that says why."""


class ReadError(OSError):
    """A file can't be read, which `filename` names; any other OSError is one of writing."""


class ArchiveError(Exception):
    """A command can't do what was asked; the message says why and what to do."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[ArchiveError], tuple[str, int]]:
        """Keep the exit code when pickled by another process."""
        return type(self), (str(self), self.exit_code)
