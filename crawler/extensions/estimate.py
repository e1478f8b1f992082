"""Estimate how long a crawl still takes, from what is queued and how fast it may go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import NamedTuple

from crawler.clock import now
from crawler.items import iso

_WINDOW_SECONDS = 60.0
"""How far back the rate goes: it changes as fast hosts are done and slow ones are left."""
_FIRST_SECONDS = 3.0
"""Seconds in which nothing is known yet."""
_SETTLING_SECONDS = 10.0
"""Seconds before an estimate is more than a lower bound."""
_COUNT_SECONDS = 2.0
"""Seconds between two counts of the queue."""
_MAX_COUNT_SHARE = 0.01
"""Share of the time that counting the queue may take, at most."""


class _Sample(NamedTuple):
    seconds: float
    done: int
    queued: int


class Estimate(NamedTuple):
    """The seconds that a crawl still takes; `at_least` while pages are still found."""

    seconds: float
    at_least: bool

    def __str__(self) -> str:
        return f"at least {duration(self.seconds, units=1)}" if self.at_least else duration(self.seconds)


class Queued:
    """The pages that are queued, counted now and then: that takes long where many are."""

    def __init__(self, count: Callable[[str], dict[str, int]]) -> None:
        """`count` counts by host what is due at a time."""
        self._count = count
        self._count_at = 0.0
        self._counts: dict[str, int] = {}

    def counts(self) -> dict[str, int]:
        """Return the last counts by host, which are a few seconds old at most where counting is quick."""
        began = monotonic()
        if began > self._count_at:
            self._counts = self._count(iso(now()))
            self._count_at = began + max(_COUNT_SECONDS, (monotonic() - began) / _MAX_COUNT_SHARE)
        return self._counts


class Pace:
    """How fast pages are done, over the last minute."""

    def __init__(self) -> None:
        self._samples = deque([_Sample(0.0, 0, 0)])

    def note(self, seconds: float, done: int, queued: int) -> None:
        """Note the pages that are done and those that are queued, some seconds after the beginning."""
        self._samples.append(_Sample(seconds, done, queued))
        while seconds - self._samples[1].seconds >= _WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def rate(self) -> float:
        """Pages a second."""
        first, last = self._samples[0], self._samples[-1]
        return (last.done - first.done) / max(last.seconds - first.seconds, 0.001)

    def estimate(
        self, queued: Mapping[str, int], delay_of: Callable[[str], float], rate_limit: float, *, growing: bool
    ) -> Estimate | None:
        """Return how long the pages that are queued by host still take; None if too little is known.

        `delay_of`: seconds between two requests to a host; `rate_limit`: requests a second over all hosts, 0 for
        none; `growing`: more pages are sure to be found.

        >>> pace = Pace()
        >>> pace.note(20, done=100, queued=60)
        >>> pace.note(80, done=400, queued=60)
        >>> print(pace.estimate({"a": 30, "b": 30}, lambda host: 1.0, 4.0, growing=False))
        30 s
        >>> print(pace.estimate({"a": 30, "b": 30}, lambda host: 7.0, 4.0, growing=True))
        at least 3 min
        """
        first, last = self._samples[0], self._samples[-1]
        total = sum(queued.values())
        if not total or not self.rate or last.seconds < _FIRST_SECONDS:
            return None
        bounds = [total / self.rate, *(pages * delay_of(host) for host, pages in queued.items())]
        if rate_limit:
            bounds.append(total / rate_limit)
        found_faster = last.queued > first.queued or last.seconds < _SETTLING_SECONDS
        return Estimate(max(bounds), growing or found_faster)


def duration(seconds: float, units: int = 2) -> str:
    """Return a length of time in words, in its largest units.

    >>> duration(4.2), duration(75), duration(7300), duration(200000), duration(7300, units=1)
    ('4 s', '1 min 15 s', '2 h 1 min', '2 d 7 h', '2 h')
    """
    parts = [(int(seconds // 86400), "d"), (int(seconds // 3600 % 24), "h")]
    parts += [(int(seconds // 60 % 60), "min"), (int(seconds % 60), "s")]
    first = next((index for index, (number, _) in enumerate(parts) if number), 3)
    shown = parts[first : first + units]
    return " ".join(f"{number} {unit}" for number, unit in shown if number or first == 3)
