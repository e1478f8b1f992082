"""Call a function for batches of items on all nodes of a Ray cluster, a task for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cache
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from crawler.cluster.connection import ClusterGone, count_processors, explained, first_line, is_gone
from crawler.errors import ClusterError
from crawler.workers.pool import Ended, Pool

if TYPE_CHECKING:
    from types import ModuleType

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_LOOK_SECONDS = 5.0
"""Seconds between two looks at the cluster: whether it is still there, and how large it is."""


class ClusterPool:
    """Call `answer` in processes of all nodes, as a `Pool` does in processes of this machine.

    It is called in a process that no item can end but its own. Ray repeats a task whose node or process ended.
    """

    def __init__(
        self, ray: ModuleType, answer: Callable[..., list[Any]], workers: int, time_limit: float
    ) -> None:
        """As for a Pool; `workers`: tasks at a time, 0 for one a processor, also of nodes that join later."""
        self._ray: Any = ray
        self._workers = workers
        self._count, self._counted_at = 0, float("-inf")
        self._turns: AbstractAsyncContextManager[Any] = (
            asyncio.Semaphore(workers) if workers else nullcontext()
        )
        self._task = ray.remote(_answer_batch).options(num_cpus=1)
        self._call = (version("alsoread"), answer, time_limit)

    @property
    def most(self) -> int:
        """Return how many tasks run at a time."""
        if not self._workers and monotonic() - self._counted_at > _LOOK_SECONDS:
            self._count, self._counted_at = count_processors(self._ray), monotonic()
        return self._workers or self._count

    async def call_batch(self, batch: list[_Item], ended: Callable[[_Item, Ended], _Answer]) -> list[_Answer]:
        """Return the answers for a batch, as Pool.call_batch does. Raises AlsoreadError."""
        async with self._turns:
            if is_gone(self._ray):  # Ray ends a process that hands it data then
                raise ClusterGone
            try:
                answers: list[_Answer] = await self._result_of(self._task.remote(batch, ended, *self._call))
            except self._ray.exceptions.RayError as error:
                raise self._explained(error) from None
            return answers

    async def _result_of(self, task: Any) -> Any:
        result = asyncio.ensure_future(task)
        while not (await asyncio.wait([result], timeout=_LOOK_SECONDS))[0]:
            if is_gone(self._ray):
                raise ClusterGone
        return result.result()

    def _explained(self, error: Any) -> BaseException:
        """Return the error that a command ends with."""
        if is_gone(self._ray):
            return ClusterGone()
        cause = getattr(error, "cause", error)
        if isinstance(cause, (self._ray.exceptions.RayError, RuntimeError)):  # as of a node without alsoread
            return ClusterError(f"A task can't be run on the cluster: {first_line(cause)}")
        return explained(error)


def _answer_batch(
    batch: list[_Item],
    ended: Callable[[_Item, Ended], _Answer],
    program: str,
    answer: Callable[..., list[_Answer]],
    time_limit: float,
) -> list[_Answer]:
    """Answer on a node. Raises ClusterError if it has another version of alsoread than the command."""
    if program != version("alsoread"):
        raise ClusterError(
            f"A node runs alsoread {version('alsoread')}, this command {program}: "
            "install the same version on every node."
        )
    return asyncio.run(_pool(answer, time_limit).call_batch(batch, ended))


@cache
def _pool(answer: Callable[..., Any], time_limit: float) -> Pool:
    """Return the process that answers for this one of Ray's."""
    return Pool(answer, 1, time_limit)
