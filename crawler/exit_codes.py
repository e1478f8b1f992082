"""Exit codes and their meanings; docs/exit-codes.md says what to do."""

from __future__ import annotations

from signal import Signals

ALARMS, USAGE, NOTHING_FETCHED = 1, 2, 3
LOCKED, DISK, CATALOG, INTERRUPTED, FORCED = 5, 6, 7, 11, 13
MEANINGS = {
    0: "all well",
    ALARMS: "finished, with alarms",
    USAGE: "wrong usage, or a setting that can't be used",
    NOTHING_FETCHED: "nothing could be fetched",
    LOCKED: "another crawl or program holds the archive",
    DISK: "the disk is full, or the folder can't be written",
    CATALOG: "the catalog can't be used",
    INTERRUPTED: "interrupted",
    FORCED: "interrupted twice, and stopped at once",
}
"""Meanings of the exit codes of all commands."""


def in_words(code: int) -> str:
    """Return how a process ended, as the end of a sentence; a code below 0 is the signal that killed it.

    >>> in_words(3)
    'ended with exit code 3: nothing could be fetched'
    >>> in_words(-9)
    'was killed by SIGKILL'
    """
    if code < 0:
        return f"was killed by {Signals(-code).name}"
    return f"ended with exit code {code}: {MEANINGS.get(code, 'internal error')}"
