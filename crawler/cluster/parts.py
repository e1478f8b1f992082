"""Exchange links with the other parts of a crawl, each with an archive of its own, and agree on the end."""

from __future__ import annotations

import asyncio
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from time import monotonic, time_ns
from typing import Protocol

from crawler.cluster.leases import Leases
from crawler.cluster.results import CLOSED, Results
from crawler.cluster.wire import InvalidItem, Packed, pack, unpack
from crawler.config.units import Part
from crawler.frontier.open_crawl import OpenCrawl
from crawler.items import FoundPages
from crawler.urls import canonical_or_none, host_of, in_scope

EXCHANGE_SECONDS = 0.5
"""Seconds between two exchanges with the other parts."""
_PAGES = "SELECT id, url, depth FROM pages WHERE id > ? AND due_at NOT NULL ORDER BY id LIMIT 1000"
"""Selects pages that are fetched by some part: neither out of scope nor traps."""
_NEVER = 2**31 - 1
"""The depth of a page that was not sent."""

Activity = tuple[int, int]
"""What changes whenever a part does anything: when its process began, and how many items it has stored."""


class Peer(Protocol):
    """The coordinator of another part."""

    async def quiet(self) -> Activity | None:
        """Return what it has done, if it has nothing to do; None if it has, or can't be asked."""

    async def receive(self, items: list[Packed]) -> bool:
        """Have it store pages that were found; return whether it has."""


class Parts:
    """What a coordinator shares with those of the other parts: pages of their hosts, and the end of the crawl.

    A page is sent when it is found, and again when a shorter way to it is; a part that starts gets all pages of its
    hosts. The archive has them, so that nothing is lost while a part does not run.

    All parts may end once each says twice, with nothing done in between, that it has nothing to do: between the two
    rounds there was a moment when no part had anything, and no page was under way, as a part that sends has
    something to do until the other one has stored it.
    """

    def __init__(
        self,
        part: Part,
        crawl: OpenCrawl,
        leases: Leases,
        results: Results,
        find_peers: Callable[[], Mapping[int, Peer]],
        *,
        start_seconds: float,
        worker_seconds: float,
    ) -> None:
        """`find_peers`: the other parts that run, by their numbers.

        `start_seconds`: how long to wait for them to start; `worker_seconds`: how long they wait for this one while
        it has no worker, as theirs may have all processors.
        """
        self._part, self._crawl, self._leases, self._results = part, crawl, leases, results
        self._find_peers = find_peers
        self._owner_of = cache(part.owner_of)
        self._scope = crawl.settings.getlist("ALSOREAD_SCOPE")
        self._began = time_ns()
        self._waits_until = monotonic() + start_seconds
        self._worker_seconds = worker_seconds
        self._worker_at = monotonic()
        self._peers: dict[int, Peer] = {}
        self._new: set[int] = set()
        """Parts that have started, and get all pages of their hosts."""
        self._after = 0
        """The id of the last page that was looked at."""
        self._depths = array("i")
        """The depth with which each page was sent, by its id."""
        self._sent: int | None = None
        """The version of the catalog of which all has been sent."""
        self._is_waiting = False
        """Whether nothing is left to do but to look for what is not sent."""
        self._idle: Activity | None = None
        """What this part had done when it last had nothing to do."""
        self._agreed: Activity | None = None
        """The same when all parts agreed to end."""

    async def receive(self, items: Sequence[Packed]) -> bool:
        """Store the pages among these that are of this part's hosts; return False if the crawl has ended.

        Raises InvalidItem.
        """
        found = [self._own_pages(packed) for packed in items]
        results = await asyncio.gather(*(self._results.receive(None, item) for item in found if item.pages))
        return CLOSED not in results

    def quiet(self) -> Activity | None:
        """Return what this part has done, if it has nothing to do, and sends nothing; None otherwise."""
        activity = self._activity()
        if self._results.is_closed or monotonic() - self._worker_at > self._worker_seconds:
            return activity
        is_idle = self._idle == activity and not self._leases.pages and self._has_sent_all()
        return activity if is_idle else None

    def may_end(self) -> bool:
        """Return whether this part may end. Only for a moment when it has nothing to do by itself.

        It waits for other parts that may send it pages, if it may fetch any more.
        """
        self._is_waiting = not self._has_sent_all()
        self._idle = None if self._is_waiting else self._activity()
        return self._idle is not None and (self._crawl.left <= 0 or self._idle == self._agreed)

    async def exchange(self) -> None:
        """Send what the other parts do not have yet, and ask them whether all may end."""
        if self._leases.workers:
            self._worker_at = monotonic()
        self._meet()
        if self._is_waiting:
            self._is_waiting = False
            self._after = 0  # a shorter way to a page gives it no new id
        await self._send()
        activity = self._activity()
        if self._idle == activity and await self._all_are_quiet() and self.quiet() == activity:
            self._agreed = activity

    def _own_pages(self, packed: Packed) -> FoundPages:
        """Return pages that arrived, without those that this part does not fetch. Raises InvalidItem."""
        found = unpack(packed)
        if not isinstance(found, FoundPages):
            raise InvalidItem(f"{type(found).__name__} instead of FoundPages")
        own = [(url, None) for url, _ in found.pages if self._is_own(url)]
        return FoundPages(pages=own, depth=found.depth)

    def _is_own(self, url: str) -> bool:
        is_valid = canonical_or_none(url) == url and in_scope(url, self._scope)
        return is_valid and self._crawl.wanted(host_of(url))

    def _activity(self) -> Activity:
        return self._began, self._results.received

    def _version(self) -> int:
        version: int = self._crawl.due.db.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _has_sent_all(self) -> bool:
        self._meet()
        return self._sent == self._version()

    def _meet(self) -> None:
        """Find the other parts; those that have started since the last time are sent everything."""
        known, self._peers = self._peers, dict(self._find_peers())
        started = {number for number, peer in self._peers.items() if known.get(number) is not peer}
        if started:
            self._new |= started
            self._after, self._sent = 0, None
        if len(self._peers) == self._part.count - 1:
            self._waits_until = 0.0

    async def _send(self) -> None:
        """Send pages from the last one on that was looked at."""
        version, is_whole = self._version(), not self._after
        while rows := self._crawl.due.db.execute(_PAGES, [self._after]).fetchall():
            self._after = rows[-1][0]
            await asyncio.gather(*(self._send_to(*unsent) for unsent in self._unsent(rows).items()))
            await asyncio.sleep(0)  # the workers have their turn, also where there is nothing to send
        self._new.clear()
        if is_whole:
            self._sent = version

    async def _send_to(self, number: int, found: list[Packed]) -> None:
        peer = self._peers.get(number)  # it may have ended since
        if peer and not await peer.receive(found):
            self._peers.pop(number, None)  # if it still runs it is met anew, and sent everything

    def _unsent(self, rows: Sequence[tuple[int, str, int]]) -> dict[int, list[Packed]]:
        """Return the pages to send among some, by the number of the part, and note their depths."""
        self._depths.extend([_NEVER] * (rows[-1][0] + 1 - len(self._depths)))
        unsent: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
        for page, url, depth in rows:
            owner = self._owner_of(host_of(url))
            if owner in self._peers and (owner in self._new or depth < self._depths[page]):
                unsent[owner][depth].append(url)
                self._depths[page] = depth
        return {
            owner: [
                pack(FoundPages(pages=[(url, None) for url in urls], depth=depth))
                for depth, urls in by_depth.items()
            ]
            for owner, by_depth in unsent.items()
        }

    async def _all_are_quiet(self) -> bool:
        """Ask the other parts twice; return whether they had nothing to do in between."""
        if monotonic() < self._waits_until:
            return False
        first = await self._ask_all()
        return first is not None and await self._ask_all() == first

    async def _ask_all(self) -> dict[int, Activity] | None:
        """Return what each of the other parts has done; None if one has something to do."""
        self._meet()
        answers = {}
        for number, peer in list(self._peers.items()):
            answer = await peer.quiet()
            if answer is None:
                return None
            answers[number] = answer
        return answers
