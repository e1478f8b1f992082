"""Fork workers off one process that has loaded what they run: they start at once and share its memory.

A new interpreter, not a fork of the program itself: that would hold on to the archive's lock after a crawl that was
killed. The module is run as a program; requests are answered in their order.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import struct
import sys
import traceback
from contextlib import suppress
from enum import IntEnum

from crawler.shutdown import SIGNALS
from crawler.workers import worker


class Request(IntEnum):
    """What is asked for."""

    FORK = 0
    """A worker for the socket that comes with the request: the function that it calls is there to be read."""
    WAIT = 1
    """The exit code of a worker that ends."""
    KILL = 2
    """Its end, and its exit code."""


REQUEST = struct.Struct("!BI")
"""A request and the worker's number: the how-manieth one it is that was forked."""
EXIT_CODE = struct.Struct("!h")


def main(requests: socket.socket) -> None:
    """Answer requests until the other end is closed."""
    for number in SIGNALS:  # they are for the program that asks: this one ends with it
        signal.signal(number, signal.SIG_IGN)
    workers: list[int] = []
    with suppress(ConnectionError):  # the program may be gone at any moment
        while (received := socket.recv_fds(requests, REQUEST.size, 1))[0]:
            request, worker_number = REQUEST.unpack(received[0])
            if request == Request.FORK:
                workers.append(_fork(socket.socket(fileno=received[1][0]), requests))
                continue
            process = workers[worker_number]
            if request == Request.KILL:
                os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            requests.sendall(EXIT_CODE.pack(os.waitstatus_to_exitcode(status)))


def _fork(connection: socket.socket, requests: socket.socket) -> int:
    """Return the process of a new worker, having loaded the function that it calls."""
    with connection, connection.makefile("rb") as calls:
        answer, time_limit, folder = pickle.load(calls)  # noqa: S301 - from the program that started this one
        process = os.fork()
        if process:
            return process
        requests.close()
        try:
            os.chdir(folder)  # the program may have gone elsewhere since it started this process
            worker.serve(connection, calls, answer, time_limit)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
