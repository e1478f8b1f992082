"""Stopping what runs on a loop, without leaving it in the middle of a step."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine


def run_stoppable(work: Coroutine[None, None, None]) -> None:
    """Runs it to its end. Ctrl-C and SIGTERM cancel it where it waits, and raise a KeyboardInterrupt here."""

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task  # noqa: S101
        # asyncio itself sees to Ctrl-C, and to no other signal.
        before = signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(task.cancel))
        try:
            await work
        finally:
            signal.signal(signal.SIGTERM, before)

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
