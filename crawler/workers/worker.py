"""Answer calls in a worker process. Imports little, as each process does so again."""

from __future__ import annotations

import gc
import pickle
import signal
import socket
import sys
from contextlib import suppress

from crawler.shutdown import SIGNALS

SIZE = 8  # bytes before an answer that say how long it is


def serve(connection: socket.socket) -> None:
    """Answer calls until the other end is closed."""
    for number in SIGNALS:  # they are for the process that asks: this one ends with it
        signal.signal(number, signal.SIG_IGN)
    # Whoever asked may be gone at any moment.
    with suppress(EOFError, ConnectionError, pickle.UnpicklingError):
        _answer(connection)


def _answer(connection: socket.socket) -> None:
    calls = connection.makefile("rb")
    answer, time_limit = pickle.load(calls)  # noqa: S301 - from the process that started this one
    # A call leaves few cycles behind, and looking for them takes time: look seldom, and not at what is loaded.
    gc.freeze()
    gc.set_threshold(50_000)
    while True:
        args = pickle.load(calls)  # noqa: S301
        # The signal ends the process also where no Python runs, and when nobody is left to see to it.
        signal.setitimer(signal.ITIMER_REAL, time_limit)
        try:
            result = pickle.dumps((True, answer(*args)), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            result = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.sendall(len(result).to_bytes(SIZE) + result)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
