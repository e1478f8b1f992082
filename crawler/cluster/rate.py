"""Share one rate of requests among the workers of all crawls on a cluster."""

from __future__ import annotations

import asyncio
from time import monotonic, time_ns
from typing import Any

import ray

from crawler.frontier.turns import VALID_SECONDS

_EXPIRES_SECONDS = 2 * VALID_SECONDS
"""Seconds after which a share ends that is not given back: its worker has ended, and uses it no more."""


class SharedRate:
    """Give one worker at a time a share of the time, in which it alone sends requests: an actor.

    It holds nothing that could be lost: one that starts anew gives the first share when all earlier ones have ended.
    """

    def __init__(self) -> None:
        self._queue = asyncio.Lock()
        self._share: int | None = None
        self._ended_at = monotonic() + _EXPIRES_SECONDS

    async def take_share(self, gap: float) -> int:
        """Wait for a share that begins now, `gap` seconds after the last one ended; return its number."""
        await self._queue.acquire()
        wait = max(self._ended_at + gap - monotonic(), 0)
        self._share = share = time_ns()
        asyncio.get_running_loop().call_later(wait + _EXPIRES_SECONDS, self._end, share)
        await asyncio.sleep(wait)
        return share

    async def give_back(self, share: int) -> None:
        """End a share, if it has not expired."""
        self._end(share)

    def _end(self, share: int) -> None:
        if share == self._share:
            self._share = None
            self._ended_at = monotonic()
            self._queue.release()


def shared_rate() -> Any:
    """Return the rate of all crawls on the cluster. Whoever comes first starts it; it ends with that process."""
    options = {"name": "rate", "get_if_exists": True, "num_cpus": 0, "max_restarts": -1}
    return ray.remote(SharedRate).options(**options).remote()
