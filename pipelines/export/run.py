"""Export to a folder, to one packed file or to a table."""

from __future__ import annotations

import filecmp
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from crawler.errors import LockedError
from crawler.items import Article
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.export import packing, tables
from pipelines.export.manifest import Manifest
from pipelines.export.plan import Form, Planner
from pipelines.export.source import Source
from pipelines.export.sync import Result, Sync, Watch
from pipelines.export.target import STATE_FOLDER, Folder
from pipelines.export.worker import content, stage_files

_VOCABULARY = [field.name for field in fields(Article)]
_STAMPS = ["words", "archived_at", "changed_at"]
_BATCH_SIZE = 200


def to_folder(source: Source, root: Path, form: Form, *, prune: bool, watch: Watch) -> Result:
    """Bring the files of a folder up to date with the archive. Raises AlsoreadError.

    A file that is up to date is not touched; one that export did not write, or that was edited since, is kept.
    With `prune`, files of articles that were not chosen are removed.
    """
    state = root / STATE_FOLDER
    with (
        _errors_explained(root),
        _locked(root),
        Folder(root) as folder,
        Manifest(state / "manifest.db") as manifest,
    ):
        planner = Planner(source, manifest, form)
        stage = partial(stage_files, root, form.flavour)
        return Sync(folder, manifest, planner, stage).run(watch, prune=prune)


def to_packed(source: Source, path: Path, form: Form, kind: packing.Kind, watch: Watch) -> None:
    """Write one packed file of the articles' files. Raises AlsoreadError."""
    with _errors_explained(path), Manifest(None) as manifest, _replacing(path) as out:
        planner = Planner(source, manifest, form)

        def entries() -> Iterator[packing.Entry]:
            done = 0
            for batch in manifest.planned_by_path():
                for file, job in zip(batch, planner.jobs(batch), strict=True):
                    yield packing.Entry(file.place.path, content(job, form.flavour), file.changed_at)
                watch(done := done + len(batch))

        packing.pack(out, kind, entries())


def to_table(source: Source, path: Path, kind: tables.Kind, watch: Watch) -> None:
    """Write a table of the articles. Raises AlsoreadError."""

    def rows() -> Iterator[tables.Row]:
        done, heads = 0, source.heads(["words"])
        while batch := list(islice(heads, _BATCH_SIZE)):
            articles = source.rows([head.page for head in batch])
            for head in batch:
                article = articles[head.page].article
                row = {name: getattr(article, name) for name in _VOCABULARY}
                for name in ("images", "also_read"):
                    row[name] = [item._asdict() for item in row[name]]
                row["words"] = head.row["words"]
                for name in ("archived_at", "changed_at"):
                    row[name] = datetime.fromisoformat(head.row[name])
                yield row
            watch(done := done + len(batch))

    with _errors_explained(path), _replacing(path) as out:
        tables.write(out, kind, [*_VOCABULARY, *_STAMPS], rows())


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Let no other export write to the folder meanwhile."""
    (root / STATE_FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / STATE_FOLDER / "lock", timeout=0):
            yield
    except Timeout:
        raise LockedError(f"Another export writes to {root}: wait for it to end.") from None


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that replaces another when it is whole; one with the same bytes is not touched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.writing")
    try:
        with scratch.open("wb") as out:
            yield out
        if not (path.is_file() and filecmp.cmp(scratch, path, shallow=False)):
            scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def _errors_explained(target: Path) -> Iterator[None]:
    """Explain errors of the disk and of SQLite while the target is written."""
    try:
        yield
    except OSError as error:
        raise explain(error, target) from None
    except sqlite3.Error as error:
        if not ends_run(error):
            raise
        raise explain(error, target) from None
