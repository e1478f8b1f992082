"""Share the turns of a rate limit with the other workers of a cluster."""

from __future__ import annotations

from time import monotonic
from typing import Protocol

from crawler.downloader.pace import Turns

VALID_SECONDS = 0.5
"""Seconds after which a worker uses a share no more: it was stopped, and others have theirs."""
_SHARE_SECONDS = 0.1
"""How long a worker gives itself turns before others have theirs, while its own requests wait."""


class Shares(Protocol):
    """Where shares of the time come from: one worker has one at a time."""

    async def take_share(self, gap: float) -> int:
        """Wait for a share that begins now, `gap` seconds after the last request of any other; return its number."""

    def give_back(self, share: int) -> None:
        """End a share: its last request was sent."""


class SharedTurns(Turns):
    """Give one turn after another, so many seconds apart over all workers.

    Turns are counted where requests are sent, so that no call between machines can bunch them: a worker with a
    share spaces its requests by its own clock, and the next worker begins once it has given its share back.
    """

    def __init__(self, shares: Shares, gap: float) -> None:
        """`gap`: seconds between two turns; 0 for no limit."""
        super().__init__(gap)
        self._shares = shares
        self._waiting = 0
        self._share: int | None = None
        self._taken_at = 0.0

    async def turn(self) -> None:
        """Wait for a turn, to be used at once."""
        self._waiting += 1
        await super().turn()
        self._waiting -= 1

    async def begin(self) -> None:
        """Wait for the next turn of the share; take another one without any, or if it is not valid any more."""
        if self._share is not None:
            await super().begin()
        while self._share is None or monotonic() > self._taken_at + VALID_SECONDS:
            self._end_share()
            self._share = await self._shares.take_share(self.gap)
            self._taken_at = monotonic()

    def used(self) -> None:
        """Count the time to the next turn from now on; let others have theirs in time."""
        super().used()
        if not self._waiting or self.next > self._taken_at + _SHARE_SECONDS:
            self._end_share()

    def _end_share(self) -> None:
        if self._share is not None:
            self._shares.give_back(self._share)
            self._share = None
