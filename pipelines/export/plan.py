"""Plan an export: where each file belongs, and the job that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

from pipelines.archive.article_file import path_of
from pipelines.export.flavours import FLAVOURS
from pipelines.export.layout import Layout, address, marked
from pipelines.export.links import Target, addresses, page_on
from pipelines.export.manifest import Manifest, PlannedFile
from pipelines.export.source import Source
from pipelines.export.worker import BODY, THUMBNAIL, ArticleRow, CopyJob, Job, RenderJob

_FIRST_PICTURE = 2**32
"""The number of the first picture where articles have their page."""
_KNOWN_LINKS = 8192
"""Links whose pages are remembered: articles tend to have the same ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How Markdown files are written."""

    flavour: str = "plain"
    """A key of FLAVOURS."""
    path: str | None = None
    """The template of the files' paths; None for the flavour's own."""
    local: bool | None = None
    """Whether links between articles of the export lead to files; None for the flavour's default."""
    images: Path | None = None
    """The archive's folder of copies; None where pictures keep their addresses."""


class _Links(NamedTuple):
    """The canonical addresses of what an article links to and shows."""

    body: dict[str, str]
    """By the addresses as its text has them."""
    pictures: list[str]
    also_read: list[str]

    def all(self) -> Iterator[str]:
        return chain(self.body.values(), self.pictures, self.also_read)


class Planner:
    """Plans an export. Raises UsageError where the form is not valid."""

    def __init__(self, source: Source, manifest: Manifest, form: Form) -> None:
        self._source, self._manifest = source, manifest
        self._flavour = FLAVOURS[form.flavour]
        self._layout = Layout(form.path or self._flavour.PATH, self._flavour.fit)
        self._images = form.images
        local = self._flavour.LOCAL if form.local is None else form.local
        self._hosts = source.hosts() if local else set()
        self._page = lru_cache(_KNOWN_LINKS)(partial(page_on, self._hosts))
        manifest.plan(chain(self._articles(), self._pictures()))
        if self._hosts or self._images:
            manifest.plan_links(source.redirects())

    def _articles(self) -> Iterator[PlannedFile]:
        for head in self._source.heads(self._layout.columns):
            place = Target(self._layout.path(head.path, head.row), address(head.path, head.url))
            yield PlannedFile(head.page, head.url, place, head.row["changed_at"])

    def _pictures(self) -> Iterator[PlannedFile]:
        """Give the copies that are there; a picture whose copy is missing keeps its address."""
        if self._images is None:
            return
        for number, (url, copy, _, fetched_at) in enumerate(self._source.copies(), _FIRST_PICTURE):
            if (self._images / copy).is_file():
                path = "/".join(map(self._fit, copy.split("/")))
                place = Target(f"{self._flavour.PICTURES}{path}", f"/images/{quote(path)}")
                yield PlannedFile(number, url, place, fetched_at)

    def _fit(self, name: str) -> str:
        """Return a name of a picture's path as the program takes it, and no other picture has it."""
        fitted = self._flavour.fit(name)
        return name if fitted == name else marked(fitted, name, PurePosixPath(name).suffix)

    def jobs(self, files: Sequence[PlannedFile]) -> list[Job]:
        """Return the jobs that make these files."""
        pages = [file.page for file in files if file.page < _FIRST_PICTURE]
        rows, aliases = self._source.rows(pages), self._source.aliases(pages)
        copies = self._source.copies_of([file.url for file in files if file.page >= _FIRST_PICTURE])
        links = {page: self._links(row) for page, row in rows.items()}
        targets = self._manifest.targets({url for page in pages for url in links[page].all()})
        jobs: list[Job] = []
        for page, url, place, _ in files:
            if page >= _FIRST_PICTURE:
                copy, hash_ = copies[url]
                jobs.append(CopyJob(f"{self._images}/{copy}", hash_, place))
                continue
            linked = links[page]
            jobs.append(
                RenderJob(
                    rows[page],
                    place,
                    {link: targets[to] for link, to in linked.body.items() if to in targets},
                    {picture: targets[picture] for picture in linked.pictures if picture in targets},
                    [targets.get(to) for to in linked.also_read],
                    [address(str(path_of(alias)), alias) for alias in aliases[page]],
                )
            )
        return jobs

    def _links(self, row: ArticleRow) -> _Links:
        links = _Links({}, [], [])
        if self._hosts:
            for url in sorted(addresses(row.values[BODY])):
                if page := self._page(url):
                    links.body[url] = page
            links.also_read.extend(url for url, _ in row.also_read)
        if self._images:
            shown = [row.values[THUMBNAIL], *(url for url, *_ in row.images)]
            links.pictures.extend(url for url in shown if url)
        return links
