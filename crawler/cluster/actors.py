"""What of the coordinator needs Ray."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import ray

from crawler.cluster.coordinator import Coordinator
from crawler.cluster.parts import Peer
from crawler.cluster.peers import RayPeers


class CoordinatorActor(Coordinator):
    """The coordinator as an actor, which Ray starts anew."""

    @cached_property  # Ray asks the head of the cluster each time
    def is_restarted(self) -> bool:
        """Return whether the process of this crawl's coordinator ended before."""
        return bool(ray.get_runtime_context().was_current_actor_reconstructed)

    def find_peers(self) -> Mapping[int, Peer]:
        """Return the coordinators of the other parts of the crawl that run, by their numbers."""
        return self._peers.find()

    @cached_property
    def _peers(self) -> RayPeers:
        own = ray.get_runtime_context().get_actor_name()
        assert own  # noqa: S101
        return RayPeers(own)
