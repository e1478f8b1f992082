"""Requests are spaced by their host's delay and by the rate of all hosts, at the moment that they are sent."""

from __future__ import annotations

from itertools import pairwise

from tests.support.hostile import Hostile
from tests.support.probe import crawl

_DELAY, _RATE = 0.5, 10
_LATE_SECONDS = 0.04
"""What a busy machine may take longer over one connection than over another."""


def test_delay_and_rate_hold_together() -> None:
    """A delay makes requests to several hosts due at the same moment, though their turns were apart."""
    pages = [f"http://host-{host}.techidaily.com/ok/#{page}" for page in range(3) for host in range(4)]
    with Hostile() as server:
        crawl(
            pages,
            ALSOREAD_CONNECT_TO=server.url,
            ALSOREAD_RATE=_RATE,
            DOWNLOAD_DELAY=_DELAY,
            CONCURRENT_REQUESTS_PER_DOMAIN=1,
            ROBOTSTXT_OBEY=False,
        )
        hits = list(server.hits)
    assert len(hits) == len(pages)
    by_host = [[hit.time for hit in hits if hit.host == host] for host in {hit.host for hit in hits}]
    assert min(gap for times in by_host for gap in _gaps(times)) >= _DELAY - _LATE_SECONDS
    assert min(_gaps([hit.time for hit in hits])) >= 1 / _RATE - _LATE_SECONDS


def _gaps(times: list[float]) -> list[float]:
    return [later - moment for moment, later in pairwise(sorted(times))]
