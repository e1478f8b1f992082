"""Hand the hosts and pages of a crawl out to the workers of a cluster, and take back what those had that ended."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from time import monotonic

from crawler.cluster.leases import MOST_DEATHS, Leases, Worker
from crawler.cluster.results import Results
from crawler.frontier.open_crawl import OpenCrawl
from crawler.frontier.queue import Page
from crawler.frontier.remote import Claim, LeasedPage, Released, Supply
from crawler.text import counted
from crawler.urls import host_of

logger = logging.getLogger(__name__)


class Dispatch:
    """What goes to which worker: pages that are due, and hosts of which it is to read the sitemaps."""

    def __init__(self, crawl: OpenCrawl, leases: Leases, results: Results, seed_pages: Sequence[str]) -> None:
        self._crawl, self._leases, self._results = crawl, leases, results
        self._seed_pages = frozenset(seed_pages)
        self._read = crawl.hosts_with_fresh_sitemaps()
        """Hosts whose sitemaps were read, in this run or a little before."""
        self._to_ask = deque(host for host in crawl.known_hosts() if host not in self._read)
        self._asking: dict[str, str] = {}
        """The worker that reads a host's robots.txt for its sitemaps."""
        self.lost: set[str] = set()
        """Incarnations of workers whose pages were handed out again."""

    @property
    def is_reading_sitemaps(self) -> bool:
        """Return whether sitemaps are read, or are to be."""
        return bool(self._to_ask or self._asking)

    @property
    def is_idle(self) -> bool:
        """Return whether no worker has anything, and nothing waits for one but pages that are due."""
        return not (self._leases.owned or self._leases.returned or self.is_reading_sitemaps)

    def join(self, name: str, incarnation: str, claim: Claim) -> bool:
        """Take a worker in, as Coordinator.join does."""
        leases = self._leases
        if incarnation in self.lost:
            return False
        known = leases.workers.get(name)
        if known and known.incarnation == incarnation:  # the answer to its first call was lost
            return True
        if known:
            self._lose(name, known)
        if not all(leases.is_free(host, name) for host in claim.hosts):
            return False
        leases.workers[name] = Worker(incarnation, monotonic())
        for host, seconds in claim.resting.items():
            leases.rest(host, seconds)
        for host in claim.hosts:
            leases.lease_host(host, name)
        for url, round_ in claim.pages:
            page = self._crawl.due.find(url)
            if page and page.round == round_ and not self._is_taken(url):
                leases.lease(page, name)
                self._crawl.count_handed_out()
        return True

    def supply(self, name: str, room: int) -> Supply:
        """Lease at most `room` pages to a worker, and as many hosts whose sitemaps are to be read."""
        leases = self._leases
        before = set(leases.workers[name].hosts)
        taken: list[LeasedPage] = []
        ask = self._hosts_to_ask(name, room)
        while len(taken) < room and (page := leases.next_page(name, self._crawl.next_page)):
            if not self._is_wanted(page):
                continue
            if leases.deaths[page.url] >= MOST_DEATHS:
                self._results.fail(page.url)  # it is tried again without being fetched
                continue
            leases.lease(page, name)
            validators = self._crawl.validators(page)
            taken.append(
                LeasedPage(
                    page.url,
                    page.depth,
                    validators["etag"],
                    validators["last_modified"],
                    page.round,
                    leases.is_alone(page.url),
                )
            )
        new = {host_of(page.url) for page in taken}.union(ask) - before
        return Supply(taken, sorted(new & self._read), ask, is_over=False)

    def release(self, name: str, released: Sequence[Released]) -> None:
        """Take back the hosts that a worker has done with."""
        for host, delay, is_asked in released:
            self._leases.host(host).delay = delay
            self._asking.pop(host, None)
            if is_asked:
                self._read.add(host)
            self._leases.release(host, name)

    def expire(self, silent_since: float) -> None:
        """Take back what workers have that were not heard of since then."""
        for name, worker in list(self._leases.workers.items()):
            if worker.heard_at < silent_since:
                self._lose(name, worker)

    def _lose(self, name: str, worker: Worker) -> None:
        """Take back what a worker has that ended."""
        leases = self._leases
        logger.warning("Worker %s ended; %s given out again.", name, counted(len(worker.pages), "page"))
        self.lost.add(worker.incarnation)
        for page in leases.end_all(name):
            if page.url in self._results.storing:
                continue
            if leases.deaths[page.url] >= MOST_DEATHS:
                self._results.fail(page.url)
            else:
                leases.returned.append(page)
        for host in leases.remove(name):
            if self._asking.pop(host, None) or self._may_have_unread_sitemaps(host):
                self._to_ask.append(host)

    def _is_taken(self, url: str) -> bool:
        """Return whether a worker has a page, or has brought it."""
        return url in self._leases.pages or url in self._results.storing

    def _is_wanted(self, page: Page) -> bool:
        """Return whether no worker has a page or brought it, that had it before a restart or was given up."""
        return not self._is_taken(page.url) and page.round == self._results.round_of(page.url)

    def _hosts_to_ask(self, name: str, room: int) -> list[str]:
        ask = [host for host in list(self._to_ask)[:room] if self._leases.is_free(host, name)]
        for host in ask:
            self._to_ask.remove(host)
            self._asking[host] = name
            self._leases.lease_host(host, name)
        return ask

    def _may_have_unread_sitemaps(self, host: str) -> bool:
        everywhere = self._crawl.settings["ALSOREAD_DISCOVER"] != "links"
        return host not in self._read and (everywhere or f"https://{host}/" in self._seed_pages)
