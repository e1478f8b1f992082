"""Export to a folder, to one packed file or to a table."""

from __future__ import annotations

import filecmp
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from crawler.errors import LockedError
from crawler.items import Article
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.export import packing, tables
from pipelines.export.manifest import Manifest, copy_of_manifest
from pipelines.export.plan import Form, Plan
from pipelines.export.source import Source
from pipelines.export.sync import Result, Sync, Watch
from pipelines.export.target import STATE_FOLDER, Folder, UnchangedFolder

_VOCABULARY = [field.name for field in fields(Article)]
_STAMPS = ["words", "archived_at", "changed_at"]


def to_folder(
    source: Source, root: Path, form: Form, *, prune: bool, dry_run: bool = False, watch: Watch
) -> Result:
    """Bring the files of a folder up to date with the archive. Raises AlsoreadError.

    A file that is up to date is not touched; one that export did not write, or that was edited since, is kept.
    With `prune`, files of articles that were not chosen are removed; with `dry_run`, nothing is changed at all.
    """
    with _errors_explained(root):
        plan = Plan(source, form)  # raises before anything is created
        path = root / STATE_FOLDER / "manifest.db"
        if dry_run:
            with UnchangedFolder(root) as folder, copy_of_manifest(path) as manifest:
                return Sync(folder, manifest, plan, form.flavour).run(watch, prune=prune)
        with _locked(root), Folder(root) as folder, Manifest(path) as manifest:
            return Sync(folder, manifest, plan, form.flavour).run(watch, prune=prune)


def to_packed(source: Source, path: Path, form: Form, kind: packing.Kind, watch: Watch) -> Result:
    """Write one packed file of the articles' files. Raises AlsoreadError."""
    with _errors_explained(path):
        plan = Plan(source, form)
        return _replace(path, lambda out: packing.pack(out, kind, _entries(plan, watch)))


def _entries(plan: Plan, watch: Watch) -> Iterator[packing.Entry]:
    for done, file in enumerate(plan.files("path"), 1):
        yield packing.Entry(file.place.path, plan.content(plan.made_of(file)), file.changed_at)
        watch(done)


def to_table(source: Source, path: Path, kind: tables.Kind, watch: Watch) -> Result:
    """Write a table of the articles. Raises AlsoreadError."""
    tables.check_installed(kind)
    with _errors_explained(path):
        columns = [*_VOCABULARY, *_STAMPS]
        return _replace(path, lambda out: tables.write(out, kind, columns, _rows(source, watch)))


def _rows(source: Source, watch: Watch) -> Iterator[tables.Row]:
    for done, head in enumerate(source.heads(["words"]), 1):
        article = source.row(head.page).article
        row = {name: getattr(article, name) for name in _VOCABULARY}
        for name in ("images", "also_read"):
            row[name] = [item._asdict() for item in row[name]]
        row["words"] = head.row["words"]
        for name in ("archived_at", "changed_at"):
            row[name] = datetime.fromisoformat(head.row[name])
        yield row
        watch(done)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Let no other export write to the folder meanwhile."""
    (root / STATE_FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / STATE_FOLDER / "lock", timeout=0):
            yield
    except Timeout:
        raise LockedError(f"Another export writes to {root}: wait for it to end.") from None


def _replace(path: Path, write: Callable[[IO[bytes]], None]) -> Result:
    """Write a file that replaces another when it is whole; one with the same bytes is not touched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.writing")
    try:
        with scratch.open("wb") as out:
            write(out)
        if path.is_file() and filecmp.cmp(scratch, path, shallow=False):
            return Result(unchanged=1)
        scratch.replace(path)
        return Result(written=[path.name])
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
