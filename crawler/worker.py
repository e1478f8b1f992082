"""What runs in the reader's processes; it imports no more than they need, as each of them does so anew."""

from __future__ import annotations

import gc
import signal

from crawler.extractors import extract

__all__ = ["extract", "prepare"]


def prepare() -> None:
    """Makes a process ready, so that the first page does not wait for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the crawl's to answer
    # A page leaves few cycles behind, and looking for them takes time: look seldom, and not at what is loaded.
    gc.freeze()
    gc.set_threshold(50_000)
