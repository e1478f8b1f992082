"""Render articles and stage their files, in the export's own process or in another.

A job has all that its file takes, as plain values: they cost little to hand to another process.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from crawler.errors import CatalogError, ReadError
from crawler.items import Article
from pipelines.archive.articles import COLUMNS, of_row
from pipelines.archive.files import hash_of
from pipelines.export.flavours import FLAVOURS
from pipelines.export.flavours.item import Item
from pipelines.export.links import Forms, Target, rewrite
from pipelines.export.target import StagedFile, stage

BODY, THUMBNAIL = COLUMNS.index("body"), COLUMNS.index("thumbnail")

_HINT = "`alsoread verify --repair` makes it due again, and `alsoread images` fetches it"


class ArticleRow(NamedTuple):
    """An article as the catalog has it."""

    values: tuple[Any, ...]
    """Of the COLUMNS."""
    images: list[tuple[str, str | None, str | None]]
    """Address, alt, title."""
    also_read: list[tuple[str, str]]
    """Address, text."""

    @property
    def article(self) -> Article:
        """The article itself."""
        return of_row(dict(zip(COLUMNS, self.values, strict=True)), self.images, self.also_read)


class RenderJob(NamedTuple):
    """An article's file that is to be rendered."""

    row: ArticleRow
    place: Target
    links: dict[str, Target]
    """Addresses in its text that lead to articles of the export."""
    pictures: dict[str, Target]
    """Addresses of its pictures, the thumbnail too, that are copied along."""
    also_read: list[Target | None]
    """Where the links of its list lead, those to articles of the export; empty where none is to lead there."""
    aliases: list[str]
    """Other addresses on a site that should lead to it."""


class CopyJob(NamedTuple):
    """A picture's file that is to be copied from the archive."""

    file: str
    hash: str
    """Of its content, as the archive has it."""
    place: Target


Job = RenderJob | CopyJob


def stage_files(root: Path, flavour: str, jobs: Sequence[bytes]) -> list[StagedFile]:
    """Stage the files of pickled jobs below the export's folder. Raises OSError and CatalogError."""
    return [stage(root, content(pickle.loads(job), flavour)) for job in jobs]  # noqa: S301 - from the export


def content(job: Job, flavour: str) -> bytes:
    """Return the content of a file for a key of FLAVOURS. Raises CatalogError if a picture's copy is damaged."""
    return _copied(job) if isinstance(job, CopyJob) else _rendered(job, flavour)


def _copied(job: CopyJob) -> bytes:
    try:
        copy = Path(job.file).read_bytes()
    except FileNotFoundError:
        copy = b""
    except OSError as error:
        raise ReadError(error.errno, error.strerror, job.file) from None
    if hash_of(copy) != job.hash:
        raise CatalogError(f"{job.file} is missing or damaged: {_HINT}.")
    return copy


def _rendered(job: RenderJob, flavour: str) -> bytes:
    form = FLAVOURS[flavour]
    article = job.row.article
    path = job.place.path
    forms = Forms(
        lambda target, fragment: form.link(target, fragment, path),
        lambda target: form.picture(target, path),
        form.escape,
    )
    body = rewrite(article.body, job.links, job.pictures, forms)
    item = Item(
        article=article if body is article.body else replace(article, body=body),
        place=job.place,
        also_read=job.also_read or [None] * len(article.also_read),
        aliases=job.aliases,
        thumbnail=job.pictures.get(article.thumbnail or ""),
    )
    return form.render(item).encode()
