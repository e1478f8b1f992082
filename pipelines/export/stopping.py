"""Stopping what runs on a loop, without leaving it in the middle of a step."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from crawler import shutdown


def run_stoppable(work: Coroutine[None, None, None]) -> None:
    """Run it to its end. A signal cancels it where it waits, and raises a KeyboardInterrupt here."""

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task  # noqa: S101
        with shutdown.steps(lambda: loop.call_soon_threadsafe(task.cancel)):
            await work

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
