"""Requests are spaced by their host's delay and by the rate of all hosts, at the moment that they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tests.support.hostile import Hit, Hostile
from tests.support.probe import crawl

_DELAY, _RATE = 0.5, 10
_LATE_SECONDS = 0.04
"""What a busy machine may take longer over one connection than over another."""


def test_delay_and_rate_hold_together() -> None:
    """A delay makes requests to several hosts due at the same moment, though their turns were apart."""
    pages = [f"http://host-{host}.techidaily.com/ok/#{page}" for page in range(3) for host in range(4)]
    hits = _crawled(pages, CONCURRENT_REQUESTS_PER_DOMAIN=1)
    hosts = {hit.host for hit in hits}
    assert min(min(_gaps(hits, host)) for host in hosts) >= _DELAY - _LATE_SECONDS
    assert min(_gaps(hits)) >= 1 / _RATE - _LATE_SECONDS


def test_requests_that_wait_for_turns_keep_the_delay_of_their_host() -> None:
    """Behind requests to other hosts, more than one to a host would be waiting for turns that follow each other."""
    pages = [f"http://host-{host}.techidaily.com/ok/" for host in range(10)]
    pages += [f"http://slow.techidaily.com/ok/#{page}" for page in range(3)]
    hits = _crawled(pages)
    assert min(_gaps(hits, "slow.techidaily.com")) >= _DELAY - _LATE_SECONDS


def _crawled(pages: Sequence[str], **settings: Any) -> list[Hit]:
    """The requests of a crawl of pages, one for each."""
    settings |= {"ALSOREAD_RATE": _RATE, "DOWNLOAD_DELAY": _DELAY, "ROBOTSTXT_OBEY": False}
    with Hostile() as server:
        crawl(pages, ALSOREAD_CONNECT_TO=server.url, **settings)
        hits = list(server.hits)
    assert len(hits) == len(pages)
    return hits


def _gaps(hits: list[Hit], host: str | None = None) -> list[float]:
    """The seconds between the requests to a host, or to any."""
    times = sorted(hit.time for hit in hits if host in (None, hit.host))
    return [later - moment for moment, later in pairwise(times)]
