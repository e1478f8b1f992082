"""What of the coordinator needs Ray."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import ray

from crawler.cluster.coordinator import Coordinator
from crawler.cluster.parts import Peer
from crawler.cluster.peers import RayPeers

_PIECE_BYTES = 50_000
"""Ray keeps an argument of over 100 kB apart, and can't start an actor anew once it has let go of that."""


def in_pieces(*arguments: Any) -> list[bytes]:
    """Return what CoordinatorActor takes in place of the arguments of a Coordinator, which may be very many seeds."""
    packed = zlib.compress(pickle.dumps(arguments))
    return [packed[start : start + _PIECE_BYTES] for start in range(0, len(packed), _PIECE_BYTES)]


class CoordinatorActor(Coordinator):
    """The coordinator as an actor, which Ray starts anew."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(*pickle.loads(zlib.decompress(b"".join(pieces))))  # noqa: S301 - from the command

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
