"""Lease hosts and pages to the workers of a cluster: who has what, and what to hand out again. Knows no archive."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic

from crawler.frontier.queue import Page
from crawler.urls import host_of

MOST_DEATHS = 3
"""Workers that end while they have a page before it is failed; the last one has it alone."""
_REST_SECONDS = 0.05
"""Seconds beside its delay that a host rests before another worker asks it: clocks and networks are not exact."""


@dataclass(slots=True)
class Worker:
    """A worker that takes part, and what it has."""

    incarnation: str
    heard_at: float
    hosts: set[str] = field(default_factory=set)
    pages: dict[str, Page] = field(default_factory=dict)
    leased_at: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Host:
    """A host that a worker has or had."""

    delay: float
    owner: str | None = None
    last: str | None = None
    """The worker that had it last."""
    rests_until: float = 0.0
    pages: int = 0
    """Pages that its owner has."""


class Leases:
    """A host is leased to one worker at a time, with as many of its pages as may be under way.

    Another worker gets it once it has rested. Of pages that two workers ended over, a third has one alone.
    """

    def __init__(self, delay: float, most_per_host: int) -> None:
        """`delay`: seconds between two requests to a host of which no worker has told another."""
        self._delay, self._most_per_host = delay, most_per_host
        self.workers: dict[str, Worker] = {}
        self.hosts: dict[str, Host] = {}
        self.pages: dict[str, str] = {}
        """The worker that has a page, by its address."""
        self.returned: deque[Page] = deque()
        """Pages to hand out again."""
        self.deaths: Counter[str] = Counter()
        """Workers that ended while they had a page, by its address."""
        self._alone: dict[str, str] = {}
        """The worker that is to have a page and no other, by the page's address."""
        self._begun: set[str] = set()
        """Pages among these whose requests were sent."""

    def host(self, name: str) -> Host:
        """Return a host; one that is not known yet belongs to nobody."""
        if name not in self.hosts:
            self.hosts[name] = Host(self._delay)
        return self.hosts[name]

    @property
    def owned(self) -> list[str]:
        """Return the hosts that any worker has."""
        return [name for worker in self.workers.values() for name in worker.hosts]

    @property
    def oldest_seconds(self) -> float:
        """Return for how long the page is out that is so for longest."""
        moment = monotonic()
        leased_at = (at for worker in self.workers.values() for at in worker.leased_at.values())
        return moment - min(leased_at, default=moment)

    def lease_host(self, name: str, worker: str) -> None:
        """Give a host to a worker."""
        host = self.host(name)
        host.owner = host.last = worker
        self.workers[worker].hosts.add(name)

    def lease(self, page: Page, name: str) -> None:
        """Give a page to a worker, and its host."""
        host = host_of(page.url)
        self.lease_host(host, name)
        self.hosts[host].pages += 1
        self.pages[page.url] = name
        worker = self.workers[name]
        worker.pages[page.url] = page
        worker.leased_at[page.url] = monotonic()

    def end(self, url: str) -> Page | None:
        """Take a page back from the worker that has it, if one has."""
        name = self.pages.pop(url, None)
        if name is None:
            return None
        self.hosts[host_of(url)].pages -= 1
        self._alone.pop(url, None)
        self._begun.discard(url)
        worker = self.workers[name]
        del worker.leased_at[url]
        return worker.pages.pop(url)

    def leased(self, url: str) -> Page | None:
        """Return a page as it was leased; None if no worker has it."""
        name = self.pages.get(url)
        return self.workers[name].pages[url] if name else None

    def is_out(self, url: str) -> bool:
        """Return whether a page was handed out and is not stored yet, though its worker may have ended."""
        return url in self.pages or any(page.url == url for page in self.returned)

    def release(self, name: str, worker: str) -> None:
        """Let another worker have a host, once it has rested, if its worker has no page of it any more."""
        host = self.hosts[name]
        if host.owner == worker and not host.pages:
            host.owner = None
            self.workers[worker].hosts.discard(name)
            host.rests_until = monotonic() + host.delay + _REST_SECONDS

    def end_all(self, name: str) -> Iterator[Page]:
        """Take every page back from a worker that ended, each of which may have cost one worker more.

        One that the worker had alone has not, unless its request was sent: it may have waited for its host's delay.
        """
        for url in list(self.workers[name].pages):
            if not self.is_alone(url) or url in self._begun:
                self.deaths[url] += 1
            page = self.end(url)
            assert page  # noqa: S101
            yield page

    def is_alone(self, url: str) -> bool:
        """Return whether a page is for a worker that has no other."""
        return url in self._alone

    def begin(self, url: str, worker: str) -> None:
        """Note that a worker is about to send the request for a page that it has alone."""
        if self.pages.get(url) == worker:
            self._begun.add(url)

    def rest(self, name: str, seconds: float) -> None:
        """Let a host rest that was asked before the coordinator started."""
        host = self.host(name)
        host.rests_until = max(host.rests_until, monotonic() + seconds + _REST_SECONDS)

    def remove(self, name: str) -> list[str]:
        """Remove a worker that ended and has no page any more; return its hosts, which rest for whoever is next."""
        hosts = list(self.workers[name].hosts)
        for host in hosts:
            self.release(host, name)
            self.hosts[host].last = None  # the next worker of that name knows nothing of this one's requests
        self._alone = {url: worker for url, worker in self._alone.items() if worker != name}
        del self.workers[name]
        return hosts

    def is_free(self, host: str, worker: str) -> bool:
        """Return whether a worker may have a page of a host."""
        row = self.hosts.get(host)
        if row is None:
            return True
        if row.owner == worker:
            return row.pages < self._most_per_host
        return row.owner is None and (row.last == worker or row.rests_until <= monotonic())

    def next_page(self, name: str, next_due: Callable[[Callable[[str], bool]], Page | None]) -> Page | None:
        """Return the next page for a worker: one that came back, or what `next_due` finds on a free host."""
        worker = self.workers[name]
        if name in self._alone.values():
            return None if worker.pages else self._suspect_of(name)
        for _ in range(len(self.returned)):
            page = self.returned.popleft()
            is_suspect = self.deaths[page.url] == MOST_DEATHS - 1
            if is_suspect:
                self.returned.append(page)
                if page.url not in self._alone:
                    self._alone[page.url] = name
                    return None if worker.pages else self._suspect_of(name)
            elif self.is_free(host_of(page.url), name):
                return page
            else:
                self.returned.append(page)
        return next_due(lambda host: self.is_free(host, name))

    def _suspect_of(self, name: str) -> Page | None:
        """Return the page that a worker is to have alone, if its host may be asked."""
        for page in self.returned:
            if self._alone.get(page.url) == name and self.is_free(host_of(page.url), name):
                self.returned.remove(page)
                return page
        return None

    def forget_returned(self, url: str) -> None:
        """Hand a page out no more that a worker brought after it was given up."""
        self._alone.pop(url, None)
        if self.returned:
            self.returned = deque(page for page in self.returned if page.url != url)
