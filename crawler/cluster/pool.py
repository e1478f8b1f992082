"""Call a function for batches of items on all nodes of a Ray cluster, a task for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, chdir, nullcontext
from functools import cache
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from crawler.cluster.connection import ClusterGone, count_processors, explained, first_line, is_gone
from crawler.errors import ClusterError
from crawler.workers.pool import Ended, Pool

if TYPE_CHECKING:
    from types import ModuleType

_Answer = TypeVar("_Answer")

_LOOK_SECONDS = 10.0
"""Seconds between two looks at the cluster: whether it is still there, and how large it is."""


class ClusterPool:
    """Load batches of items on this node, and call `answer` for each on any, in place of a `Pool`.

    It is called in a process that no item can end but its own. Ray repeats a task whose node or process ended.
    """

    def __init__(
        self,
        ray: ModuleType,
        load: Callable[..., list[Any]],
        answer: Callable[..., list[Any]],
        workers: int,
        time_limit: float,
    ) -> None:
        """`load` and `answer` are pickled; `workers`: tasks at a time, 0 for one a processor, also of later nodes."""
        self._ray: Any = ray
        self._workers = workers
        self._count, self._counted_at = 0, float("-inf")
        self._turns: AbstractAsyncContextManager[Any] = (
            asyncio.Semaphore(workers) if workers else nullcontext()
        )
        here = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._load = ray.remote(_load_batch).options(num_cpus=0, scheduling_strategy=here)
        self._answer = ray.remote(_answer_batch).options(num_cpus=1)
        self._loading, self._answering = (Path.cwd(), load), (version("alsoread"), answer, time_limit)

    @property
    def most(self) -> int:
        """Return how many tasks run at a time."""
        if not self._workers and monotonic() - self._counted_at > _LOOK_SECONDS:
            self._count, self._counted_at = count_processors(self._ray), monotonic()
        return self._workers or self._count

    async def call_batch(self, batch: list[Any], ended: Callable[[Any, Ended], _Answer]) -> list[_Answer]:
        """Return the answers for a batch. `ended` gets an item as `load` returned it. Raises AlsoreadError."""
        async with self._turns:
            loaded = self._load.remote(batch, *self._loading)
            try:
                answers: list[_Answer] = await self._result_of(
                    self._answer.remote(loaded, ended, *self._answering)
                )
            except self._ray.exceptions.RayError as error:
                raise self._explained(error) from None
            return answers

    async def _result_of(self, task: Any) -> Any:
        result = asyncio.ensure_future(_awaited(task))
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


async def _awaited(task: Any) -> Any:
    return await task


def _load_batch(batch: list[Any], folder: Path, load: Callable[..., list[Any]]) -> list[Any]:
    with chdir(folder):  # paths are meant as the command has them
        return load(batch)


def _answer_batch(
    batch: list[Any],
    ended: Callable[[Any, Ended], _Answer],
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
