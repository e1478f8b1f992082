"""When is a page due again? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

FIRST = timedelta(days=7)
SHORTEST = timedelta(days=1)
LONGEST = timedelta(days=90)
SPREAD = 30
"""Days over which the pages come due again whose changes a sitemap announces: not all at once."""
SITEMAPS = timedelta(hours=20)
"""For so long a host's sitemaps are not read again once a run that read them came to its end."""
AUDIT = 100
"""Of so many pages whose changes a sitemap announces each run visits one, to see whether it is true."""

_FIRST_LATE_RETRY = timedelta(hours=1)
_MAX_RETRY_DELAY = timedelta(days=7)
_FIRST_PAUSE = timedelta(minutes=10)
_MAX_PAUSE = timedelta(days=1)
_FEWEST_CHANGES = 20
"""Audits of a host before it is judged."""
_MAX_MISSED_SHARE = 0.05


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


def next_visit_announced(page: int) -> timedelta:
    """How long to leave a page alone whose changes are announced.

    >>> next_visit_announced(1).days, next_visit_announced(29).days
    (89, 61)
    """
    return LONGEST - timedelta(days=page % SPREAD)


def announces(audited: int, missed: int) -> bool:
    """Whether a host's sitemap is to be trusted, after so many audits, of which some found an unannounced change.

    >>> announces(0, 0), announces(19, 19), announces(40, 2), announces(40, 3)
    (True, True, True, False)
    """
    return audited < _FEWEST_CHANGES or missed <= audited * _MAX_MISSED_SHARE


def is_audited(page: int, crawl: int) -> bool:
    """Whether a crawl looks at a page though nothing announces a change: another part of the pages in each."""
    return (page + crawl) % AUDIT == 0


def next_try(attempts: int, soon: Sequence[float]) -> timedelta:
    """How long to wait after the nth failure in a row: first as `soon` has it, in seconds, then from an hour up.

    >>> [str(next_try(n, [10, 60])) for n in (1, 2, 3, 4, 9)]
    ['0:00:10', '0:01:00', '1:00:00', '4:00:00', '7 days, 0:00:00']
    """
    if attempts <= len(soon):
        return timedelta(seconds=soon[attempts - 1])
    doublings = 2 * min(attempts - len(soon) - 1, 9)
    return min(_FIRST_LATE_RETRY * (1 << doublings), _MAX_RETRY_DELAY)


def pause(failures: int, tolerated: int) -> timedelta | None:
    """How long to leave a host alone after so many failures in a row; None while it is not yet given up.

    >>> [str(pause(n, tolerated=5)) for n in (4, 5, 6, 20)]
    ['None', '0:10:00', '0:20:00', '1 day, 0:00:00']
    """
    if failures < tolerated:
        return None
    return min(_FIRST_PAUSE * (1 << min(failures - tolerated, 9)), _MAX_PAUSE)
