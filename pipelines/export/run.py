"""Exports: to a folder, to one packed file, to a table."""

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

from crawler.errors import ArchiveError
from crawler.items import Article
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.export import packing, tables
from pipelines.export.manifest import Manifest
from pipelines.export.plan import Form, Maker
from pipelines.export.rendering import Copy, content
from pipelines.export.row import article_of
from pipelines.export.source import Source
from pipelines.export.sync import Result, Update, Watch
from pipelines.export.target import OWN, Folder
from pipelines.export.worker import Writing

_VOCABULARY = [field.name for field in fields(Article)]
_STAMPS = ["words", "archived_at", "changed_at"]
_BATCH = 200


def to_folder(source: Source, root: Path, form: Form, *, prune: bool, watch: Watch) -> Result:
    """Makes the folder's files what the archive holds. Raises ArchiveError.

    A file that is up to date is not touched, and one that export did not write or that was edited since is kept.
    With `prune`, files of articles that were not chosen are removed.
    """
    with _told(root), _held(root), Manifest(root / OWN / "manifest.db") as manifest:
        maker = Maker(source, manifest, form)
        maker.plan()
        folder = Folder(root)
        folder.tidy()
        writing = partial(Writing, root, form.flavour)
        return Update(folder, manifest, maker, writing).run(watch, prune=prune)


def to_packed(source: Source, path: Path, form: Form, kind: packing.Kind, watch: Watch) -> None:
    """Makes one packed file of the articles' files. Raises ArchiveError."""
    with _told(path), Manifest(None) as manifest, _replacing(path) as out:
        maker = Maker(source, manifest, form)
        maker.plan()

        def entries() -> Iterator[packing.Entry]:
            done = 0
            for batch in manifest.in_order():
                for item, (order, _) in zip(batch, maker.orders(batch), strict=True):
                    held = order.content() if isinstance(order, Copy) else content(order, form.flavour)
                    yield packing.Entry(item.path, held, item.changed_at)
                watch(done := done + len(batch))

        packing.pack(out, kind, entries())


def to_table(source: Source, path: Path, kind: tables.Kind, watch: Watch) -> None:
    """Makes a table of the articles. Raises ArchiveError."""

    def rows() -> Iterator[tables.Row]:
        done, heads = 0, source.heads(["words"])
        while some := list(islice(heads, _BATCH)):
            read = source.rows([head.page for head in some])
            for head in some:
                article = article_of(read[head.page])
                row = {name: getattr(article, name) for name in _VOCABULARY}
                for name in ("images", "also_read"):
                    row[name] = [item._asdict() for item in row[name]]
                row["words"] = head.row["words"]
                for name in ("archived_at", "changed_at"):
                    row[name] = datetime.fromisoformat(head.row[name])
                yield row
            watch(done := done + len(some))

    with _told(path), _replacing(path) as out:
        tables.write(out, kind, [*_VOCABULARY, *_STAMPS], rows())


@contextmanager
def _held(root: Path) -> Iterator[None]:
    """The folder, while no other export writes to it."""
    (root / OWN).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / OWN / "lock", timeout=0):
            yield
    except Timeout:
        raise ArchiveError(f"Another export writes to {root}: wait for it to end.", 5) from None


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """What is written becomes the file when it is whole; a file with just these bytes is not touched."""
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
def _told(target: Path) -> Iterator[None]:
    """A full or locked target, or a folder that can't be written, in a sentence."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{target} can't be written: {error.strerror or error}.", 6) from None
    except sqlite3.Error as error:
        if not ends_run(error):
            raise
        raise explain(error, target) from None
