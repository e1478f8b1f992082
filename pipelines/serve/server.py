"""Run the server until a signal comes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from uvicorn import Config, Server

from crawler import shutdown
from crawler.errors import UsageError
from pipelines.serve.guard import Application

_STOP_SECONDS = 2
"""Seconds that answers under way have when the server ends."""
_BACKLOG = 128


class _Server(Server):
    """A server that leaves signals to `crawler.shutdown`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signal."""
        yield


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 is any that is free. Raises UsageError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise UsageError(
            f"Port {port} of {address} can't be used: {reason}. Choose another with --port or --bind."
        ) from None


def url_of(listening: socket.socket) -> str:
    """Return the address of a server, as a browser on this machine takes it."""
    address, port = listening.getsockname()[:2]
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"


def run(application: Application, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve an application until a signal comes."""
    server = _Server(
        Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )

    def stop() -> None:
        server.should_exit = True

    with shutdown.steps(stop):
        ready()
        if not shutdown.is_asked():
            server.run(sockets=[listening])
