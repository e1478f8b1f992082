"""Tell the time for all that the archive records and waits for, and parse times, all in UTC."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

_LONGEST_TIME = 64  # characters; no ISO 8601 time is longer

AHEAD = timedelta(seconds=float(os.environ.get("ALSOREAD_CLOCK_OFFSET", "0")))
"""How far a rehearsal is ahead of the time: weeks of scheduled crawls pass in a few minutes."""


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC) + AHEAD


def utc(moment: datetime) -> datetime:
    """Convert a time to UTC; one without a zone counts as UTC. Raises OverflowError outside the calendar."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_time(text: str | None) -> datetime | None:
    """Parse an ISO 8601 time to UTC (a time without a zone counts as UTC); None where it is not valid.

    >>> parse_time("2024-08-16T04:52:24.115+08:00")
    datetime.datetime(2024, 8, 15, 20, 52, 24, 115000, tzinfo=datetime.timezone.utc)
    >>> parse_time("last week"), parse_time("0001-01-01T00:00:00+14:00")
    (None, None)
    """
    try:
        return utc(datetime.fromisoformat((text or "")[:_LONGEST_TIME]))
    except (ValueError, OverflowError):
        return None


def minute(time: str) -> str:
    """Shorten a time of the catalog to the minute.

    >>> minute("2024-08-16T04:52:24.115Z")
    '2024-08-16 04:52'
    """
    return time[:16].replace("T", " ")
