"""Call a function in worker processes, awaited without a thread.

Calls and answers are pickles over a socket. A process ends with the program that started it, however that ends.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from crawler.shutdown import SIGNALS
from crawler.workers.fork_server import EXIT_CODE, REQUEST, Request
from crawler.workers.worker import SIZE

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Ended(Exception):
    """The process ended before it answered."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"its process ended with exit code {exit_code}")
        self.timed_out = exit_code == -signal.SIGPROF


class _ForkServer:
    """The process that workers are forked off. It ends with this program."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair()
        self._workers = 0
        with theirs:
            # What a terminal or a supervisor sends to all processes is not its to answer, from its very start.
            masked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            try:
                self._popen = subprocess.Popen(  # noqa: S603 - this program
                    [sys.executable, "-P", "-m", "crawler.workers.fork_server", str(theirs.fileno())],
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        atexit.register(self._close)

    @property
    def ended(self) -> bool:
        """Return whether the process has ended, as when the system runs out of memory."""
        return self._popen.poll() is not None

    def fork(self, connection: socket.socket) -> int:
        """Fork a worker that answers on a connection. Return its number."""
        with suppress(ConnectionError):  # the first call finds that nobody answers
            socket.send_fds(self._requests, [REQUEST.pack(Request.FORK, 0)], [connection.fileno()])
        self._workers += 1
        return self._workers - 1

    def wait(self, worker: int, request: Request = Request.WAIT) -> int:
        """Return the exit code of a worker that ends, or that is killed by `request`."""
        with suppress(ConnectionError):
            self._requests.sendall(REQUEST.pack(request, worker))
            if answer := self._requests.recv(EXIT_CODE.size, socket.MSG_WAITALL):
                exit_code: int = EXIT_CODE.unpack(answer)[0]
                return exit_code
        return self._popen.wait()

    def _close(self) -> None:
        self._requests.close()
        self._popen.wait()


_fork_server: _ForkServer | None = None


class Process:
    """Call `answer` in a process of its own."""

    def __init__(self, answer: Callable[..., Any], time_limit: float = 0) -> None:
        """`answer` is pickled; `time_limit`: seconds of CPU time that it may take, 0 for any number."""
        global _fork_server  # noqa: PLW0603 - one for the program
        if _fork_server is None or _fork_server.ended:
            _fork_server = _ForkServer()
        self._fork_server = _fork_server
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._number = self._fork_server.fork(theirs)
        self._socket.sendall(pickle.dumps((answer, time_limit, Path.cwd())))
        self._socket.setblocking(False)
        self._exit_code: int | None = None

    async def call(self, *args: Any) -> Any:
        """Return the answer; one call at a time. Raises what the call raised, or Ended.

        A call that is cancelled ends the process.
        """
        call = pickle.dumps(args, pickle.HIGHEST_PROTOCOL)
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, call)
            size = int.from_bytes(await self._receive(SIZE))
            answered, answer = pickle.loads(await self._receive(size))  # noqa: S301 - from our own process
        except ConnectionError:
            raise Ended(self.close()) from None
        except BaseException:
            self.kill()
            raise
        if answered:
            return answer
        raise answer

    @property
    def ended(self) -> bool:
        """Return whether the process has ended: it closes its end then, and says nothing unasked before."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> int:
        """Let the process answer its call, and stop it. Return its exit code."""
        return self._end(Request.WAIT)

    def kill(self) -> None:
        """Kill the process."""
        self._end(Request.KILL)

    def _end(self, request: Request) -> int:
        if self._exit_code is None:
            with suppress(OSError):  # it has ended already
                self._socket.shutdown(socket.SHUT_WR)
            self._exit_code = self._fork_server.wait(self._number, request)
            self._socket.close()
        return self._exit_code

    async def _receive(self, size: int) -> bytearray:
        received = bytearray(size)
        left = memoryview(received)
        while left:
            count = await asyncio.get_running_loop().sock_recv_into(self._socket, left)
            if not count:
                raise ConnectionResetError
            left = left[count:]
        return received


class Pool:
    """Call `answer` in a few processes. Each starts at once, and again if it ended."""

    def __init__(self, answer: Callable[..., Any], most: int, time_limit: float = 0) -> None:
        """As for a Process, of which there are `most`."""
        self._answer, self._time_limit, self.most = answer, time_limit, most
        # The last one back is the first out: it has the most in its caches.
        self._idle: asyncio.LifoQueue[Process] = asyncio.LifoQueue()
        self._all: set[Process] = set()
        for _ in range(most):
            self._idle.put_nowait(self._started())

    def _started(self) -> Process:
        process = Process(self._answer, self._time_limit)
        self._all.add(process)
        return process

    async def call(self, *args: Any) -> Any:
        """Return the answer of the next free process. Raises as Process.call does."""
        process = await self._idle.get()
        if process.ended:
            process.close()
            self._all.remove(process)
            process = self._started()
        try:
            return await process.call(*args)
        finally:
            self._idle.put_nowait(process)

    async def call_batch(self, batch: list[_Item], ended: Callable[[_Item, Ended], _Answer]) -> list[_Answer]:
        """Return the answers for a batch, which the processes give as a list.

        Where it ended its process, each item is called for by itself; `ended` makes the answer for one that did.
        """
        try:
            answers: list[_Answer] = await self.call(batch)
            return answers
        except Ended as error:
            if len(batch) == 1:
                return [ended(batch[0], error)]
        return [answer for item in batch for answer in await self.call_batch([item], ended)]

    def close(self) -> None:
        """End the processes, also those that are answering."""
        for process in self._all:
            process.kill()
