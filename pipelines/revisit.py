"""When is a page due again? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

FIRST = timedelta(days=7)
SHORTEST = timedelta(days=1)
LONGEST = timedelta(days=90)
RETRY_LATER = timedelta(hours=1)
RETRY_LONGEST = timedelta(days=7)


def next_visit(previous: timedelta | None, changed: bool) -> timedelta:
    """How long to leave a page alone: longer while nothing changes, shorter when something did.

    >>> next_visit(None, changed=False).days, next_visit(timedelta(days=8), changed=False).days
    (7, 12)
    >>> next_visit(timedelta(days=8), changed=True).days, next_visit(timedelta(days=80), changed=False).days
    (4, 90)
    """
    if previous is None:
        return FIRST
    return min(max(previous * (0.5 if changed else 1.5), SHORTEST), LONGEST)


def next_try(attempts: int, soon: Sequence[float]) -> timedelta:
    """How long to wait after the nth failure in a row: first as `soon` has it, in seconds, then from an hour up.

    >>> [str(next_try(n, [10, 60])) for n in (1, 2, 3, 4, 9)]
    ['0:00:10', '0:01:00', '1:00:00', '4:00:00', '7 days, 0:00:00']
    """
    if attempts <= len(soon):
        return timedelta(seconds=soon[attempts - 1])
    doublings = 2 * min(attempts - len(soon) - 1, 9)
    return min(RETRY_LATER * (1 << doublings), RETRY_LONGEST)
