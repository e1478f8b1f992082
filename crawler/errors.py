"""Errors that several rooms raise and handle."""

from __future__ import annotations

from typing import ClassVar

from crawler import exit_codes


class UnreadablePage(ValueError):
    """A page whose article can't be read whole; the message is a clause that says why."""


class ReadError(OSError):
    """A file can't be read, which `filename` names; any other OSError is one of writing."""


class AlsoreadError(Exception):
    """Base of the errors that end a command; the message says what happened and what to do."""

    exit_code: ClassVar[int]
    """Exit code of a command that ends with it."""


class UsageError(AlsoreadError):
    """The arguments, the settings or a file that they name can't be used."""

    exit_code = exit_codes.USAGE


class ClusterError(AlsoreadError):
    """A Ray cluster can't be used."""

    exit_code = exit_codes.USAGE


class LockedError(AlsoreadError):
    """Another program has locked the archive."""

    exit_code = exit_codes.LOCKED


class DiskError(AlsoreadError):
    """The disk is full, or a file can't be read or written."""

    exit_code = exit_codes.DISK


class CatalogError(AlsoreadError):
    """A catalog, or what it says of a file, is damaged or of another version."""

    exit_code = exit_codes.CATALOG


class DownloadError(AlsoreadError):
    """A program that a command needs can't be downloaded."""

    exit_code = exit_codes.NOTHING_FETCHED


class Interrupted(AlsoreadError):
    """A signal ended the command."""

    exit_code = exit_codes.INTERRUPTED
