"""Look into Scrapy's engine while it runs: the parts of Scrapy 2.19 that have no public way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from crawler.urls import host_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


def active_hosts(crawler: Crawler) -> Counter[str]:
    """Count the requests to each host that the downloader has taken, those that wait for their turn among them."""
    engine: Any = crawler.engine
    return Counter(host_of(request.url) for request in engine.downloader.active)


def hosts_of(request: Request) -> set[str]:
    """Return the host that a request is sent to, and that which a sitemap is for: they may differ."""
    return {host_of(request.url), request.cb_kwargs.get("host", host_of(request.url))}


def busy_hosts(crawler: Crawler) -> set[str]:
    """Return the hosts of requests that the downloader, the spider or the stages have not done with."""
    engine: Any = crawler.engine
    scraped = engine.scraper.slot
    requests = [*engine.downloader.active, *scraped.active, *(request for _, request, _ in scraped.queue)]
    return {host for request in requests for host in hosts_of(request)}


def max_requests_per_host(crawler: Crawler) -> int:
    """Return how many requests to a host are under way at a time, at most."""
    engine: Any = crawler.engine
    return int(engine.downloader.domain_concurrency)


def delay_of(crawler: Crawler, host: str) -> float:
    """Return the seconds between two requests to a host, as they are now."""
    engine: Any = crawler.engine
    if slot := engine.downloader.slots.get(host):
        return float(slot.delay)
    usual = crawler.settings.getfloat("DOWNLOAD_DELAY")
    return float(engine.downloader.per_slot_settings.get(host, {}).get("delay", usual))


def after_writing(call: Callable[[], None]) -> None:
    """Call something when a request that is sent now is written: in its next round the loop writes, then calls."""
    asyncio.get_running_loop().call_later(0, call)


def begin_delay(crawler: Crawler, request: Request) -> None:
    """Count the delay of a host from now on: the request to it waited for its turn and for a connection."""
    engine: Any = crawler.engine
    if slot := engine.downloader.slots.get(request.meta["download_slot"]):
        slot.lastseen = monotonic()


def resting_hosts(crawler: Crawler) -> dict[str, float]:
    """Return the hosts that were asked too short a while ago to be asked again, and the seconds until they may be."""
    engine: Any = crawler.engine
    moment = monotonic()
    rests = {host: slot.lastseen + slot.delay - moment for host, slot in engine.downloader.slots.items()}
    return {host: seconds for host, seconds in rests.items() if seconds > 0}


def is_discovering(crawler: Crawler) -> bool:
    """Return whether a robots.txt or a sitemap is being fetched, which may name more pages."""
    engine: Any = crawler.engine
    return any(not request.meta.get("page") for request in engine.downloader.active)


def count_unsettled(crawler: Crawler) -> int:
    """Return how many responses the spider and the stages have not done with."""
    engine: Any = crawler.engine
    slot = engine.scraper.slot
    return len(slot.queue) + len(slot.active)


def is_busy(crawler: Crawler) -> bool:
    """Return whether the engine takes no further request for now."""
    engine: Any = crawler.engine
    return bool(engine.needs_backout())


def wake(crawler: Crawler, seconds: float) -> None:
    """Have the engine ask for requests in so many seconds, unless it is closed by then."""

    def ask() -> None:
        engine: Any = crawler.engine
        if engine and engine._slot:
            engine._slot.nextcall.schedule()

    asyncio.get_running_loop().call_later(seconds, ask)


def set_delay(crawler: Crawler, host: str, seconds: float) -> None:
    """Leave at least so much time between two requests to a host, without jitter."""
    engine: Any = crawler.engine
    downloader = engine.downloader
    downloader.per_slot_settings[host] = {"delay": seconds, "jitter": 0}  # for when the slot is made anew
    if slot := downloader.slots.get(host):
        slot.delay, slot.jitter = max(seconds, slot.delay), 0
