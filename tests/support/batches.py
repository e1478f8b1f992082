"""A pool of processes on a cluster against one of this machine, in a program of its own, which connects to Ray."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawler.cluster import pool as cluster_pool
from crawler.cluster.connection import connected
from crawler.cluster.nodes import Nodes
from crawler.errors import ClusterError
from crawler.workers.pool import Ended, Pool

STALLS, DIES = "stalls", "dies"
"""Items over which a process stalls, or ends."""
_BATCH = ["first", STALLS, DIES, "last"]
_LIMIT_SECONDS = 1.0


def answer(batch: list[str]) -> list[str]:
    """Return answers; the process of Ray's that asks for the answer to a path ends if there is no file yet."""
    for item in batch:
        if item == STALLS:
            while True:
                pass
        elif item == DIES:
            os.kill(os.getpid(), signal.SIGKILL)
        elif item.startswith("/") and not Path(item).exists():
            Path(item).touch()
            os.kill(_parent(_parent(os.getpid())), signal.SIGKILL)
    return batch


def processes(batch: list[str]) -> list[list[int]]:
    """Return for each item the process that answers."""
    return [[os.getpid()] for _ in answer(batch)]


def ended(item: str, error: Ended) -> str:
    """Return the answer for an item that ended its process."""
    return f"{item}: too long" if error.timed_out else f"{item}: {error}"


def main(address: str, path: str) -> None:
    """Print the answers of both, those for an item that ends a process of Ray's, and the error of another version.

    And what comes of a function that is spread over all nodes, with the number of this process.
    """
    here = Pool(answer, 1, _LIMIT_SECONDS)
    answers: dict[str, Any] = {"here": asyncio.run(here.call_batch(_BATCH, ended))}
    here.close()
    with connected(address, 0) as ray:
        there = cluster_pool.ClusterPool(ray, answer, 2, _LIMIT_SECONDS)
        answers["there"] = asyncio.run(there.call_batch(_BATCH, ended))
        answers["repeated"] = asyncio.run(there.call_batch([path], ended))
        with pytest.MonkeyPatch.context() as this:
            this.setattr(cluster_pool, "version", lambda _: "0.1.0")
            older = cluster_pool.ClusterPool(ray, answer, 2, _LIMIT_SECONDS)
        try:
            asyncio.run(older.call_batch([path], ended))
        except ClusterError as error:
            answers["older"] = [str(error)]
    with closing(Nodes(address, 2)) as nodes:
        answers["spread"] = [[os.getpid()], *nodes.spread(processes, [["first"], [DIES, "last"]])]
    print(json.dumps(answers))


def _parent(process: int) -> int:
    command = ["ps", "-o", "ppid=", "-p", str(process)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
