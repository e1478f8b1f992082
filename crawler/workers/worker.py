"""Answer calls in a worker process."""

from __future__ import annotations

import gc
import pickle
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

SIZE = 8  # bytes before an answer that say how long it is


def serve(connection: socket.socket, calls: BinaryIO, answer: Callable[..., Any], time_limit: float) -> None:
    """Answer the calls on a connection until its other end is closed."""
    # A call leaves few cycles behind, and looking for them takes time: look seldom, and not at what is loaded.
    gc.freeze()
    gc.set_threshold(50_000)
    # Whoever asked may be gone at any moment.
    with suppress(EOFError, ConnectionError, pickle.UnpicklingError):
        while True:
            args = pickle.load(calls)  # noqa: S301 - from our own process
            # The signal ends the process also where no Python runs, and when nobody is left to see to it.
            # CPU time: a machine that stalls ends no call that would be answered.
            signal.setitimer(signal.ITIMER_PROF, time_limit)
            try:
                result = pickle.dumps((True, answer(*args)), pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                result = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
            signal.setitimer(signal.ITIMER_PROF, 0)
            connection.sendall(len(result).to_bytes(SIZE) + result)
