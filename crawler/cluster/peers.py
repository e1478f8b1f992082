"""Call the coordinators of the other parts of a crawl, as Ray has them now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

from crawler.cluster.connection import first_line
from crawler.cluster.names import other_parts
from crawler.cluster.parts import Activity, Peer
from crawler.cluster.wire import Packed

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 30.0
"""How long another coordinator may take to answer."""


class RayPeers:
    """The other parts that run: one whose coordinator can't be called is looked up anew."""

    def __init__(self, own: str) -> None:
        """`own`: the name of this part's coordinator."""
        self._own = own
        self._names: Mapping[int, str] = {}
        self._known: dict[str, RayPeer] = {}

    def find(self) -> Mapping[int, Peer]:
        """Return the other parts by their numbers."""
        with suppress(RayError):  # the head does not answer: they are as they were
            self._names = other_parts(self._own, list_named_actors())
        known = {name: peer for name, peer in self._known.items() if not peer.is_lost}
        self._known = {name: known.get(name) or RayPeer(name) for name in self._names.values()}
        return {number: self._known[name] for number, name in self._names.items()}


class RayPeer:
    """A coordinator, by its name. It is lost after a call that failed, as where its process has ended."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._actor: Any = None
        self.is_lost = False

    async def quiet(self) -> Activity | None:
        """Return what it has done, if it has nothing to do; None if it has, or can't be asked."""
        activity: Activity | None = await self._call("quiet")
        return activity

    async def receive(self, items: list[Packed]) -> bool:
        """Have it store pages that were found; return whether it has."""
        return bool(await self._call("receive", items))

    async def _call(self, method: str, *args: Any) -> Any:
        try:
            self._actor = self._actor or ray.get_actor(self._name)
            return await asyncio.wait_for(getattr(self._actor, method).remote(*args), _PATIENCE_SECONDS)
        except (RayError, TimeoutError, ValueError) as error:  # a ValueError: there is no such actor any more
            logger.info("Another part does not answer: %s", first_line(error))
            self.is_lost = True
            return None
