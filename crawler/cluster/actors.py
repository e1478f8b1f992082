"""What of the coordinator needs Ray."""

from __future__ import annotations

from functools import cached_property

import ray

from crawler.cluster.coordinator import Coordinator


class CoordinatorActor(Coordinator):
    """The coordinator as an actor, which Ray starts anew."""

    @cached_property  # Ray asks the head of the cluster each time
    def is_restarted(self) -> bool:
        """Return whether the process of this crawl's coordinator ended before."""
        return bool(ray.get_runtime_context().was_current_actor_reconstructed)
