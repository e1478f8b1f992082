"""Compute when a page is due again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from zlib import crc32

FIRST = timedelta(days=7)
SHORTEST = timedelta(days=1)
LONGEST = timedelta(days=90)
SPREAD = 30
"""Days over which the next visits of pages in a sitemap are spread."""
SITEMAPS = timedelta(hours=20)
"""Time for which a host's sitemaps are not read again after a finished run read them."""
AUDIT = 100
"""One in so many pages of a sitemap is audited by each run."""

_FIRST_LATE_RETRY = timedelta(hours=1)
_MAX_RETRY_DELAY = timedelta(days=7)
_FIRST_PAUSE = timedelta(minutes=10)
_MAX_PAUSE = timedelta(days=1)
_FEWEST_CHANGES = 20
"""Audits of a host before its sitemap is judged."""
_MAX_MISSED_SHARE = 0.05


def next_visit(previous: timedelta | None, changed: bool) -> timedelta:
    """Return the time to the next visit: longer after no change, shorter after one.

    >>> next_visit(None, changed=False).days, next_visit(timedelta(days=8), changed=False).days
    (7, 12)
    >>> next_visit(timedelta(days=8), changed=True).days, next_visit(timedelta(days=80), changed=False).days
    (4, 90)
    """
    if previous is None:
        return FIRST
    return min(max(previous * (0.5 if changed else 1.5), SHORTEST), LONGEST)


def next_visit_announced(url: str) -> timedelta:
    """Return the time to the next visit of a page whose changes a sitemap announces.

    >>> [next_visit_announced(f"https://{name}.techidaily.com/").days for name in ("one", "two")]
    [87, 69]
    """
    return LONGEST - timedelta(days=_draw(url) % SPREAD)


def announces(audited: int, missed: int) -> bool:
    """Return whether a host's sitemap is trusted after so many audits, of which some found unannounced changes.

    >>> announces(0, 0), announces(19, 19), announces(40, 2), announces(40, 3)
    (True, True, True, False)
    """
    return audited < _FEWEST_CHANGES or missed <= audited * _MAX_MISSED_SHARE


def is_audited(url: str, crawl: int) -> bool:
    """Return whether a crawl audits a page whose sitemap announces no change; each crawl audits others."""
    return (_draw(url) + crawl) % AUDIT == 0


def _draw(url: str) -> int:
    """Return a number that is the same for an address in every archive, unlike the id of its page."""
    return crc32(url.encode())


def next_try(attempts: int, soon: Sequence[float]) -> timedelta:
    """Return the wait after the nth failure in a row: the seconds of `soon`, then from an hour up.

    >>> [str(next_try(n, [10, 60])) for n in (1, 2, 3, 4, 9)]
    ['0:00:10', '0:01:00', '1:00:00', '4:00:00', '7 days, 0:00:00']
    """
    if attempts <= len(soon):
        return timedelta(seconds=soon[attempts - 1])
    doublings = 2 * min(attempts - len(soon) - 1, 9)
    return min(_FIRST_LATE_RETRY * (1 << doublings), _MAX_RETRY_DELAY)


def pause(failures: int, tolerated: int) -> timedelta | None:
    """Return the pause of a host after so many failures in a row; None if it is tolerated.

    >>> [str(pause(n, tolerated=5)) for n in (4, 5, 6, 20)]
    ['None', '0:10:00', '0:20:00', '1 day, 0:00:00']
    """
    if failures < tolerated:
        return None
    return min(_FIRST_PAUSE * (1 << min(failures - tolerated, 9)), _MAX_PAUSE)
