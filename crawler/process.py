"""A process of our own that answers one call after another, awaited without a thread.

Calls and answers are pickles over a socket. The process ends with the one that started it, however that ends.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_SIZE = 8  # bytes before an answer that say how long it is


class Ended(Exception):
    """The process ended before it answered."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"its process ended with exit code {exit_code}")
        self.timed_out = exit_code == -signal.SIGALRM


class Process:
    """Answers calls with what `prepare()` returns, which is called in the process."""

    def __init__(self, prepare: Callable[[], Callable[..., Any]], time_limit: float = 0) -> None:
        """`prepare` is pickled by its name; `time_limit`: seconds that an answer may take, 0 for any number."""
        self._socket, theirs = socket.socketpair()
        with theirs:
            # A new interpreter, not a fork: that would hold on to the archive's lock after a crawl that was killed.
            self._popen = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._socket.sendall(pickle.dumps((prepare, time_limit)))
        self._socket.setblocking(False)

    async def call(self, *args: Any) -> Any:
        """The answer; one call at a time. Raises what answering it raised, or Ended.

        A call that is cancelled ends the process.
        """
        call = pickle.dumps(args, pickle.HIGHEST_PROTOCOL)
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, call)
            size = int.from_bytes(await self._receive(_SIZE))
            answered, answer = pickle.loads(await self._receive(size))  # noqa: S301 - from our own process
        except ConnectionError:
            self.close()
            raise Ended(self._popen.returncode) from None
        except BaseException:
            self.kill()
            raise
        if answered:
            return answer
        raise answer

    @property
    def ended(self) -> bool:
        """Whether it can't answer any more."""
        return self._popen.poll() is not None

    def close(self) -> None:
        """Lets it answer what it was asked, and end."""
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_WR)
        self._popen.wait()
        self._socket.close()

    def kill(self) -> None:
        """Ends it at once."""
        self._popen.kill()
        self._popen.wait()
        self._socket.close()

    async def _receive(self, size: int) -> bytearray:
        received = bytearray(size)
        left = memoryview(received)
        while left:
            count = await asyncio.get_running_loop().sock_recv_into(self._socket, left)
            if not count:
                raise ConnectionResetError
            left = left[count:]
        return received


def _serve(connection: socket.socket) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the crawl's to answer
    calls = connection.makefile("rb")
    prepare, time_limit = pickle.load(calls)  # noqa: S301 - from the process that started this one
    # A call leaves few cycles behind, and looking for them takes time: look seldom, and not at what is loaded.
    gc.freeze()
    gc.set_threshold(50_000)
    answer = None
    while True:
        try:
            args = pickle.load(calls)  # noqa: S301
        except (EOFError, ConnectionError, pickle.UnpicklingError):  # nobody asks any more
            return
        # The signal ends the process also where no Python runs, and when nobody is left to see to it.
        signal.setitimer(signal.ITIMER_REAL, time_limit)
        try:
            answer = answer or prepare()
            result = pickle.dumps((True, answer(*args)), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            result = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            connection.sendall(len(result).to_bytes(_SIZE) + result)
        except ConnectionError:
            return


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
