"""Select the pages that are due from a catalog, host by host in turn, known and new hosts by turns."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from crawler.frontier.budgets import UNLIMITED, Budgets
from pipelines.archive.connection import open_readonly

_MAX_PAGES_IN_MEMORY = 32
"""Pages of a host in memory."""
_CHECK_SECONDS = 0.5
"""Seconds between two queries for new pages of hosts that have none in memory."""


Round = tuple[str | None, int]
"""When a page was last fetched, and how often it failed since: a visit is for one round, and begins the next."""


class Page(NamedTuple):
    """A due page, as the catalog has it."""

    id: int
    url: str
    fetched_at: str | None
    attempts: int
    depth: int
    due_at: str
    etag: str | None
    last_modified: str | None
    listed: bool
    lacks_original: bool | None
    """Whether no original of its article was kept; None if it has no article."""

    @property
    def round(self) -> Round:
        """Return what every visit of the page changes."""
        return self.fetched_at, self.attempts


_PAGE = """id, url, fetched_at, attempts, depth, due_at, etag, last_modified, listed,
           (SELECT record IS NULL FROM articles WHERE articles.id = pages.id)"""
_FRONT = ("", -1, -1)
_LISTED = "FROM pages WHERE host = :host AND listed = 1 AND due_at <= :until AND depth <= :max_depth"
_UNLISTED = "FROM pages WHERE host = :host AND listed = 0 AND due_at <= :until AND depth <= :unlisted_depth"
_AFTER = " AND (due_at, depth, id) > (:due_at, :depth, :id)"
_REACHED = """SELECT 1 FROM pages WHERE host = ? AND due_at NOT NULL
              AND (fetched_at NOT NULL OR listed AND depth = 0) LIMIT 1"""
"""Selects a row if a host was fetched from before, or is a seed."""
_ANSWERED = """SELECT DISTINCT host FROM state_counts
               WHERE state IN ('stored', 'not_article', 'gone') AND pages > 0"""
"""Selects most of the hosts that were fetched from before, at once."""
_FIRST = """SELECT page.depth, page.due_at, coalesce(source.host, page.host)
            FROM pages AS page LEFT JOIN pages AS source ON source.id = page.found_on
            WHERE page.host = ? AND page.due_at NOT NULL ORDER BY page.due_at, page.depth LIMIT 1"""
"""Selects the page of a host that is due first, with the host that it was found on."""
_NO_DEPTH = -1
_NEVER_FETCHED = " AND fetched_at IS NULL"


@dataclass(slots=True)
class _Host:
    queue: deque[Page] = field(default_factory=deque)
    after: tuple[str, int, int] = _FRONT
    """The due time, depth and id of the last page that was taken: the queue only goes forward."""
    maybe_more: bool = True
    not_before: str = ""
    unlisted_depth: int = 0
    """The depth of unlisted pages that are still handed out."""
    unlisted: int = 0
    """Unlisted pages that were handed out."""
    reached: bool = True
    """False for a new host before its first turn: the budget may not reach it."""
    rank: int = 1
    """The higher, the later a new host has its first turn."""


class DuePages:
    """Hand out what is due in a catalog, host by host in turn. Reads only; memory does not grow with the catalog.

    Known hosts (seeds, and those fetched before this run) have every other turn, however many new ones there are.
    New hosts have their first turn by rank: that of the host that they were found on, times one more than the new
    hosts that this one has brought. So no host that a blog links to waits for thousands that another makes up.
    """

    def __init__(
        self,
        path: Path,
        wanted: Callable[[str], bool],
        max_depth: int,
        *,
        only_new: bool = False,
        budgets: Budgets = UNLIMITED,
    ) -> None:
        """`wanted` tells hosts; `only_new`: only pages that were never fetched; `budgets`: how far to go."""
        never_fetched = _NEVER_FETCHED * only_new
        self._listed, self._unlisted = _LISTED + never_fetched, _UNLISTED + never_fetched
        self.db = open_readonly(path)
        self.wanted = wanted
        self.max_depth = max_depth
        self.budgets = budgets
        self.new_hosts = 0
        self.spent: set[str] = set()
        """Hosts whose budget of unlisted pages is spent."""
        self.beyond: set[str] = set()
        """New hosts that the budget does not reach."""
        self.hosts: dict[str, _Host] = {}
        self._known: deque[str] = deque()
        self._new: deque[str] = deque()
        self._waiting: list[tuple[int, int, str, str]] = []
        """A heap of the new hosts that had no turn yet: rank, depth and due time of the first page, name."""
        self._brought: Counter[str] = Counter()
        """New hosts by the host that they were found on."""
        self._turn_of_new = False
        self._unwanted: set[str] = set()
        self._newest = 0
        self._version = -1
        self._checked = 0.0
        self._answered = {host for (host,) in self.db.execute(_ANSWERED)}
        self.rescan()

    def next(self, now: str, free: Callable[[str], bool]) -> Page | None:
        """Return the next due page of the next host that has a free slot."""
        if monotonic() - self._checked > _CHECK_SECONDS:
            self._check_for_changes()
        page = self._next_page(now, free)
        if page is None:
            self._check_for_changes()
            page = self._next_page(now, free)
        return page

    def _next_page(self, now: str, free: Callable[[str], bool]) -> Page | None:
        self._turn_of_new = not self._turn_of_new
        if self._turn_of_new:
            return self._next_of_new(now, free) or self._next_of(self._known, now, free)
        return self._next_of(self._known, now, free) or self._next_of_new(now, free)

    def _next_of_new(self, now: str, free: Callable[[str], bool]) -> Page | None:
        while self._waiting:
            *_, name = heappop(self._waiting)
            if page := self._turn(name, self._new, now, free):
                return page
        return self._next_of(self._new, now, free)

    def _next_of(self, hosts: deque[str], now: str, free: Callable[[str], bool]) -> Page | None:
        for _ in range(len(hosts)):
            if page := self._turn(hosts.popleft(), hosts, now, free):
                return page
        return None

    def _turn(self, name: str, hosts: deque[str], now: str, free: Callable[[str], bool]) -> Page | None:
        """Return a host's page, if it may be asked for one now, and put the host at the end of those in turn."""
        host = self.hosts[name]
        ready = host.not_before <= now and free(name) and self._has_pages(name, host, now)
        if ready and not self._may_reach(name, host):
            return None
        hosts.append(name)
        return self._take(name, host) if ready else None

    def _has_pages(self, name: str, host: _Host, now: str) -> bool:
        if not host.queue and host.maybe_more:
            self._refill(name, host, now)
        return bool(host.queue)

    def _may_reach(self, name: str, host: _Host) -> bool:
        """Return whether pages of the host may be fetched; a new host over the budget is dropped."""
        if host.reached:
            return True
        if self.new_hosts >= self.budgets.new_hosts:
            self.beyond.add(name)
            del self.hosts[name]
            return False
        self.new_hosts += 1
        host.reached = True
        return True

    def _take(self, name: str, host: _Host) -> Page:
        page = host.queue.popleft()
        if not page.listed:
            host.unlisted += 1
            if host.unlisted >= self.budgets.unlisted_pages:
                self.spent.add(name)
                host.unlisted_depth = _NO_DEPTH
                host.queue = deque(page for page in host.queue if page.listed)
                host.maybe_more = True
        return page

    def find(self, url: str) -> Page | None:
        """Return a page that has a time at which it is due."""
        row = self.db.execute(
            f"SELECT {_PAGE} FROM pages WHERE url = ? AND due_at NOT NULL", [url]
        ).fetchone()
        return Page(*row) if row else None

    def rescan(self) -> None:
        """Check every host again for pages that have become due."""
        # One step in the index a host, however many pages it has.
        self._expect_more(
            """WITH RECURSIVE step(host) AS (
                 SELECT min(host) FROM pages WHERE due_at IS NOT NULL
                 UNION ALL
                 SELECT (SELECT min(host) FROM pages WHERE due_at IS NOT NULL AND host > step.host)
                 FROM step WHERE step.host IS NOT NULL)
               SELECT host FROM step WHERE host IS NOT NULL"""
        )
        self._newest = self.db.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()[0]

    def restart(self, until: str) -> str | None:
        """Start again at the front of every queue. Return when the next page is due, if by `until`.

        Only for a moment when no page is being fetched: it would be handed out twice.
        """
        self.rescan()
        for host in self.hosts.values():
            host.after = _FRONT
            host.queue.clear()
        moments = (
            max(page.due_at, host.not_before)
            for name, host in self.hosts.items()
            if host.not_before <= until
            for page in self._select(name, host, until, 1)
        )
        return min(moments, default=None)

    def count(self, now: str) -> int:
        """Count the pages that are due, within the budgets, on hosts that are not paused."""
        return sum(self.counts(now).values())

    def counts(self, now: str) -> dict[str, int]:
        """Count them by host, in the order in which new hosts have their first turn."""
        self._check_for_changes()
        waiting = [name for *_, name in sorted(self._waiting)]
        new = [*waiting, *(name for name in self._new if not self.hosts[name].reached)]
        reached = [name for name, host in self.hosts.items() if host.reached]
        due = self._counts_of(reached, now)
        due_of_new = self._counts_of(new, now)
        return due | dict(islice(due_of_new.items(), self.budgets.new_hosts - self.new_hosts))

    def _counts_of(self, names: Iterable[str], now: str) -> dict[str, int]:
        """Count the due pages of each host that has any."""
        query = f"""SELECT (SELECT count(*) {self._listed})
                         + (SELECT count(*) FROM (SELECT 1 {self._unlisted} LIMIT :left))"""
        counts = {}
        for name in names:
            host = self.hosts[name]
            left = {"left": max(self.budgets.unlisted_pages - host.unlisted, 0)}
            if host.not_before <= now:
                counts[name] = self.db.execute(query, self._values(name, host, now) | left).fetchone()[0]
        return {name: count for name, count in counts.items() if count}

    def has_new_hosts(self) -> bool:
        """Return whether a new host within the budget waits for its first turn."""
        is_left = self.new_hosts < self.budgets.new_hosts
        return is_left and not all(host.reached for host in self.hosts.values())

    def close(self) -> None:
        """Close the catalog."""
        self.db.close()

    def _check_for_changes(self) -> None:
        self._checked = monotonic()
        version = self.db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        self._version = version
        self._expect_more("SELECT DISTINCT host FROM pages WHERE id > ?", self._newest)
        self._newest = self.db.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()[0]
        for name, until in self.db.execute("SELECT host, not_before FROM hosts WHERE not_before IS NOT NULL"):
            if name in self.hosts:
                self.hosts[name].not_before = until

    def _expect_more(self, query: str, *values: int) -> None:
        """Look for pages of the hosts that a query selects."""
        for (name,) in self.db.execute(query, values).fetchall():
            if host := self.hosts.get(name):
                host.maybe_more = True
            elif name in self._unwanted or name in self.beyond:
                continue
            elif self.wanted(name):
                self._add_host(name)
            else:
                self._unwanted.add(name)

    def _add_host(self, name: str) -> None:
        host = self.hosts[name] = _Host(unlisted_depth=self.budgets.unlisted_depth)
        if name in self._answered or self.db.execute(_REACHED, [name]).fetchone():
            self._known.append(name)
            return
        host.reached = False
        depth, due_at, source = self.db.execute(_FIRST, [name]).fetchone() or (0, "", name)
        self._brought[source] += 1
        source_rank = self.hosts[source].rank if source in self.hosts else 1
        host.rank = source_rank * (self._brought[source] + 1)
        heappush(self._waiting, (host.rank, depth, due_at, name))

    def _refill(self, name: str, host: _Host, now: str) -> None:
        pages = self._select(name, host, now, _MAX_PAGES_IN_MEMORY)
        host.queue.extend(pages)
        host.maybe_more = len(pages) == _MAX_PAGES_IN_MEMORY
        if pages:
            host.after = (pages[-1].due_at, pages[-1].depth, pages[-1].id)

    def _select(self, name: str, host: _Host, until: str, limit: int) -> list[Page]:
        query = f"""SELECT {_PAGE} {self._listed} {_AFTER}
                    UNION ALL SELECT {_PAGE} {self._unlisted} {_AFTER}
                    ORDER BY due_at, depth, id LIMIT {limit}"""
        after = dict(zip(("due_at", "depth", "id"), host.after, strict=True))
        return [Page(*row) for row in self.db.execute(query, self._values(name, host, until) | after)]

    def _values(self, name: str, host: _Host, until: str) -> dict[str, str | int]:
        return {
            "host": name,
            "until": until,
            "max_depth": self.max_depth,
            "unlisted_depth": min(self.max_depth, host.unlisted_depth),
        }
