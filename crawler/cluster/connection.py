"""Connect to a Ray cluster or start one, and say in one sentence why it can't be used."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crawler import shutdown
from crawler.errors import AlsoreadError, ClusterError, Interrupted

if TYPE_CHECKING:
    from types import ModuleType

NAMESPACE = "alsoread"
_PATIENCE_SECONDS = 10.0
"""How long a node may take to answer."""


class ClusterGone(Interrupted):
    """The head of the cluster has ended or the coordinator does not answer, so that nothing can be asked any more."""

    def __init__(self, what: str = "The Ray cluster is gone") -> None:
        super().__init__(f"{what}; run the same command to resume.")


@contextmanager
def connected(address: str, workers: int, *, start: bool = True) -> Iterator[ModuleType]:
    """Connect to a cluster; "auto" starts one of this process' own, which ends with it. Raises ClusterError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told
    # What ends is started anew, and the log of the crawl tells: none of it is for the terminal.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    is_own = address == "auto" and start
    if is_own:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ModuleNotFoundError:
        raise ClusterError(
            "--cluster needs ray, which is not installed: install alsoread[cluster]."
        ) from None
    options: dict[str, Any] = {
        "address": "local",  # not one that runs here already
        "include_dashboard": False,
        "num_cpus": max(workers, os.cpu_count() or 1),
    }
    if not is_own:
        options = {"address": address}
        _check_cluster(address)
    if ours := {name: value for name, value in os.environ.items() if name.startswith("ALSOREAD_")}:
        options["runtime_env"] = {"env_vars": ours}  # for the processes on other nodes
    try:
        ray.init(**options, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(f"No Ray cluster can be used at {address}: {first_line(error)}") from None
    shutdown.install()  # Ray has put its own in the place of our handlers
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_cluster(address: str) -> None:
    """Raise ClusterError where nothing answers, for which Ray would wait for minutes."""
    if address == "auto":
        return
    try:
        _check_answers(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClusterError(f"No Ray cluster can be used at {address}: {reason}.") from None


def is_gone(ray: ModuleType) -> bool:
    """Return whether the head does not answer, which Ray itself takes a minute to find."""
    try:
        _check_answers(ray.get_runtime_context().gcs_address)
    except OSError:
        return True
    return False


def _check_answers(address: str) -> None:
    """Raise OSError where nothing answers."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), _PATIENCE_SECONDS).close()


def count_processors(ray: ModuleType) -> int:
    """Return how many processors the nodes have that are there now."""
    return max(int(ray.cluster_resources().get("CPU", 1)), 1)


def explained(error: Any) -> BaseException:
    """Return what was raised on another node."""
    cause: BaseException = error.cause
    return cause if isinstance(cause, AlsoreadError | OSError) else error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message: Ray's have many."""
    return str(error).strip().partition("\n")[0]
