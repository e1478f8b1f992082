"""What time it is, for everything that the archive writes down and waits for."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

AHEAD = timedelta(seconds=float(os.environ.get("ALSOREAD_CLOCK_OFFSET", "0")))
"""Seconds that a rehearsal is ahead of the time: weeks of scheduled crawls in a few minutes."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC) + AHEAD
