"""A Ray cluster on loopback, started once for all tests that need one."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

_STARTS_SECONDS = 60.0
_PROCESSORS = 4
"""More workers than that wait for a processor; the machine may have fewer."""


@contextmanager
def ray_cluster() -> Iterator[str]:
    """Give the address of a cluster; commands that run meanwhile may use it. Skips the test where Ray is missing."""
    pytest.importorskip("ray", reason="ray is not installed (the extra `cluster`)")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_AUTH_MODE", "token")
        environment.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        port = _free_port()
        command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}"]
        command += ["--node-ip-address=127.0.0.1", f"--num-cpus={_PROCESSORS}", "--include-dashboard=false"]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as head:
            try:
                _wait_for(port, head)
                yield f"127.0.0.1:{port}"
            finally:
                head.send_signal(signal.SIGTERM)
                head.wait(timeout=_STARTS_SECONDS)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


def _wait_for(port: int, head: subprocess.Popen[bytes]) -> None:
    """Wait until the head answers."""
    until = monotonic() + _STARTS_SECONDS
    while monotonic() < until and head.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == os.EX_OK:
                return
        sleep(0.1)
    raise TimeoutError("the cluster did not start")
