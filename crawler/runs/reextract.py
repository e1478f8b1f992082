"""Re-extract archived articles: read their originals with the extractors as they are now, on all processors."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, NamedTuple, Self

from crawler import shutdown
from crawler.errors import Interrupted
from crawler.items import EXTRACTOR_VERSION
from crawler.runs.reread import (
    ChosenArticle,
    Difference,
    Loader,
    Problem,
    Reader,
    StoredArticle,
    reread,
    unread,
)
from crawler.settings import ALSOREAD_READ_TIMEOUT, ALSOREAD_SCOPE
from crawler.workers.batches import in_order
from crawler.workers.pool import Pool
from pipelines.analysis.update import update_analyses
from pipelines.archive import articles
from pipelines.archive.connection import open_current
from pipelines.archive.lock import open_locked
from pipelines.archive.revisions import diff_files
from pipelines.archive.selection import ArticleFilter, evaluation_explained, where_clause
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.originals.reextractions import Reextraction, ReextractionStore

if TYPE_CHECKING:
    from crawler.cluster.nodes import Nodes
    from crawler.cluster.pool import ClusterPool

Watch = Callable[[int, int], None]
"""Called with the number of articles that are read, and with that of all."""

_BATCH_SIZE = 16
"""Articles that a process reads in one call."""
_COMMIT_BATCH_SIZE = 100
_MAX_SAMPLES = 20
_SAMPLE_LINES = 24
"""Lines of a sample; of a longer one the rest is only counted."""
_OLDER = "(extractor_version IS NULL OR extractor_version < :current_version)"


@dataclass(slots=True)
class Change:
    """What articles gain and lose of something, each summed up."""

    gained: int = 0
    lost: int = 0

    def add(self, difference: int) -> None:
        """Count the difference of one article."""
        if difference > 0:
            self.gained += difference
        else:
            self.lost -= difference


class Sample(NamedTuple):
    """An article that changes, and how."""

    url: str
    diff: list[str]
    """The first lines of a unified diff."""
    more_lines: int
    """Number of its other lines."""


@dataclass(slots=True)
class Preview:
    """What a re-extraction changes."""

    unchanged: int = 0
    """Articles that are read as they are archived."""
    changed: int = 0
    without_original: int = 0
    """Articles that were chosen, and of which no original is kept."""
    fields: Counter[str] = field(default_factory=Counter)
    """Changed articles by the name of a field that differs."""
    words: Change = field(default_factory=Change)
    images: Change = field(default_factory=Change)
    quarantined: list[Problem] = field(default_factory=list)
    """Articles that would lose too much; the archived ones stay."""
    failures: list[Problem] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


class _OnCluster:
    """Load articles here, where the archive is, and read them on any node."""

    def __init__(self, loaders: Pool, readers: ClusterPool) -> None:
        self._loaders, self._readers = loaders, readers

    @property
    def most(self) -> int:
        """Return how many processes read."""
        return self._readers.most

    async def call_batch(
        self, batch: list[ChosenArticle], ended: Callable[..., Problem]
    ) -> list[Difference | Problem]:
        """Return the results of articles, as Pool.call_batch does."""
        stored: list[StoredArticle | Problem] = await self._loaders.call_batch(batch, ended)
        return await self._readers.call_batch(stored, ended)


class ReextractionRun:
    """Re-extract chosen articles: first a preview, then the writing. The archive is locked as long as it is open.

    With `dry_run` nothing is locked, and nothing can be written. Raises AlsoreadError.
    """

    def __init__(
        self,
        data: Path,
        chosen: ArticleFilter,
        *,
        older_only: bool = False,
        dry_run: bool = False,
        cluster: str | None = None,
        processes: int | None = None,
    ) -> None:
        """`older_only`: only articles that an older version read; `processes`: by default one a processor.

        `cluster`: the address of a Ray cluster whose nodes read and compare, or `auto` for one of this machine.
        """
        self._data, self._chosen, self._older_only = data, chosen, older_only
        self._processes = processes
        self._nodes: Nodes | None = None
        self._found: IO[bytes] | None = None
        with ExitStack() as opening:
            path = data / "archive.db"
            if dry_run:
                self._db = opening.enter_context(closing(open_current(path)))
            else:
                self._db = opening.enter_context(open_locked(path))
                # On the disk: all articles may have changed.
                self._found = opening.enter_context(TemporaryFile(dir=data))
            if cluster:
                from crawler.cluster.nodes import Nodes  # nobody else has to load it

                self._nodes = opening.enter_context(closing(Nodes(cluster, processes or 0)))
            self._opened = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def preview(self, watch: Watch) -> Preview:
        """Read all chosen articles, and return what changes. Raises Interrupted when a signal came."""
        with closing(open_current(self._data / "archive.db")) as db:
            where, values = where_clause(db, self._chosen)
            if self._older_only:
                where = f"({where}) AND {_OLDER}"
                values["current_version"] = EXTRACTOR_VERSION
            query = f"SELECT count(*), count(record) FROM articles WHERE {where}"
            with evaluation_explained(self._chosen):
                count, total = db.execute(query, values).fetchone()
            preview = Preview(without_original=count - total)
            rows = db.execute(
                f"SELECT id, url FROM articles WHERE ({where}) AND record NOT NULL ORDER BY id", values
            )
            if total:
                chosen = (ChosenArticle(*row) for row in rows)
                with self._pool() as pool:
                    asyncio.run(self._preview(pool, chosen, preview, lambda done: watch(done, total)))
        return preview

    @contextmanager
    def _pool(self) -> Iterator[Pool | _OnCluster]:
        """Yield the processes that read: those of this machine, or of all nodes of a cluster."""
        if not self._nodes:
            processes = self._processes or os.cpu_count() or 1
            with closing(Pool(Reader(self._data), processes, ALSOREAD_READ_TIMEOUT)) as pool:
                yield pool
            return
        with closing(Pool(Loader(self._data), os.cpu_count() or 1, ALSOREAD_READ_TIMEOUT)) as loaders:
            yield _OnCluster(loaders, self._nodes.pool(reread))

    async def _preview(
        self,
        pool: Pool | _OnCluster,
        chosen: Iterator[ChosenArticle],
        preview: Preview,
        watch: Callable[[int], None],
    ) -> None:
        done = 0
        batches = iter(lambda: list(islice(chosen, _BATCH_SIZE)), [])
        async for count, results in in_order(pool, batches, unread):
            preview.unchanged += count
            for result in results:
                self._add(result, preview)
            done += count
            watch(done)
        if shutdown.is_asked():
            raise Interrupted("Interrupted before all articles were read; nothing was changed.")

    def _add(self, result: Difference | Problem, preview: Preview) -> None:
        if isinstance(result, Problem):
            preview.unchanged -= 1
            preview.failures.append(result)
            return
        if result.problem:
            preview.unchanged -= 1
            preview.quarantined.append(Problem(result.reextraction.url, result.problem))
        elif result.fields:
            preview.unchanged -= 1
            preview.changed += 1
            preview.fields.update(result.fields)
            preview.words.add(result.words)
            preview.images.add(result.images)
            if len(preview.samples) < _MAX_SAMPLES:
                preview.samples.append(self._sample(result.reextraction))
        if self._found:
            pickle.dump(result.reextraction, self._found)

    def _sample(self, reextraction: Reextraction) -> Sample:
        assert reextraction.article  # noqa: S101 - it changes
        archived = articles.load(self._db, reextraction.page)
        lines = list(diff_files(archived, reextraction.article, "archived", "re-extracted"))
        return Sample(reextraction.url, lines[:_SAMPLE_LINES], max(0, len(lines) - _SAMPLE_LINES))

    def write(self, preview: Preview, watch: Watch) -> None:
        """Store what the preview found. An article that can't be stored becomes one of its failures.

        Raises Interrupted when a signal came, OSError and sqlite3.Error where no article can be stored any more.
        """
        assert self._found  # noqa: S101 - it is no dry run
        self._found.seek(0)
        store = ReextractionStore(self._db, self._data, scope=ALSOREAD_SCOPE)
        reextractions = _unpickled(self._found)
        written = 0
        while batch := list(islice(reextractions, _COMMIT_BATCH_SIZE)):
            results = store.commit(batch)
            for item, result in zip(batch, results, strict=True):
                if isinstance(result, Exception):
                    preview.failures.append(_unstored(item, result, self._data))
                    preview.changed -= item.article is not None
                else:
                    written += result == "changed"
            watch(written, preview.changed)
            if shutdown.is_asked():
                raise Interrupted(
                    f"Interrupted: {written:,} of {preview.changed:,} changed articles are written; "
                    "run the same command to resume."
                )
        update_analyses(self._db, self._nodes.spread if self._nodes else map)


def _unstored(item: Reextraction, error: Exception, data: Path) -> Problem:
    """Return why one article can't be stored. Raises an error that others would meet as well."""
    if not isinstance(error, OSError) or ends_run(error):
        raise error
    return Problem(item.url, str(explain(error, data)))


def _unpickled(file: IO[bytes]) -> Iterator[Reextraction]:
    while True:
        try:
            yield pickle.load(file)  # noqa: S301 - this process wrote it
        except EOFError:
            return
