"""A Ray cluster on loopback, started once for all tests that need one."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest

from crawler.cluster.coordinator import Coordinator
from crawler.cluster.settings import values_of
from crawler.runs.crawl import settings_with
from tests.site import SEED

SHARED = "[warc]\nshared = true\n"
"""Settings of a crawl whose workers write the records of what they fetch."""
COORDINATOR, WORKER = "CoordinatorActor", "Worker"
"""Kinds of processes of a crawl."""
_STARTS_SECONDS = 60.0
_PROCESSORS = 4
"""More workers than that wait for a processor; the machine may have fewer."""


class Cluster(NamedTuple):
    """A cluster that runs."""

    address: str
    head: int
    """Its first process, from which all others descend."""

    def options(self, workers: int) -> tuple[str, ...]:
        """Options of a crawl with so many workers."""
        return ("--cluster", self.address, "--workers", str(workers))

    def processes(self, kind: str) -> list[int]:
        """The processes of crawls on this cluster that are of a kind, and run."""
        title = re.compile(rf"ray::{kind}\b")
        return [pid for pid, name in self._descendants() if title.match(name)]

    def wait_for(self, kind: str, count: int = 1) -> list[int]:
        """The processes of a kind, once there are so many."""
        until = monotonic() + _STARTS_SECONDS
        while monotonic() < until:
            if len(found := self.processes(kind)) >= count:
                return found
            sleep(0.1)
        raise TimeoutError(f"{count} processes of the kind {kind} did not start")

    def kill(self) -> None:
        """Kill every process of the cluster."""
        for pid, _ in self._descendants():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _descendants(self) -> Iterator[tuple[int, str]]:
        """The processes of the cluster, each with its command line."""
        table = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(maxsplit=2) for line in table.stdout.splitlines()]
        parents = {int(pid): int(parent) for pid, parent, *_ in rows}
        for pid, _, *name in rows:
            if self.head in _ancestors(int(pid), parents):
                yield int(pid), "".join(name)


@contextmanager
def ray_cluster() -> Iterator[Cluster]:
    """Run a cluster; commands that run meanwhile may use it. Skips the test where Ray is missing."""
    pytest.importorskip("ray", reason="ray is not installed (the extra `cluster`)")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_AUTH_MODE", "token")
        environment.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv(
            "RAY_worker_niceness", "0"
        )  # 15 else: beside other tests it gets next to no processor
        port = _free_port()
        command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}"]
        command += ["--node-ip-address=127.0.0.1", f"--num-cpus={_PROCESSORS}", "--include-dashboard=false"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as head:
            try:
                _wait_for(port, head)
                yield Cluster(f"127.0.0.1:{port}", head.pid)
            finally:
                head.send_signal(signal.SIGTERM)
                head.wait(timeout=_STARTS_SECONDS)


def coordinator(data: Path, logs: Path, **settings: object) -> Coordinator:
    """A coordinator of a crawl in this process."""
    places = {"ALSOREAD_DATA": str(data), "LOG_FILE": str(logs / "logs" / "crawl.log")}
    return Coordinator(values_of(settings_with(places | settings)), [SEED], [SEED], 1)


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    """The process, its parent, and so on."""
    while pid in parents:
        yield pid
        pid = parents[pid]


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
