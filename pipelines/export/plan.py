"""From the catalog to files: what an export plans to write, and what each is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from importlib.metadata import version
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

from pipelines.archive.article_file import path_of
from pipelines.export.flavours import FLAVOURS
from pipelines.export.layout import Layout, address, marked
from pipelines.export.links import addresses, key, key_on
from pipelines.export.manifest import PICTURES, Manifest, Planned
from pipelines.export.rendering import Copy, Order
from pipelines.export.row import BODY, THUMBNAIL, Row
from pipelines.export.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How Markdown files are written."""

    flavour: str = "plain"
    """A key of FLAVOURS."""
    path: str | None = None
    """The template of the files' paths; the flavour's own where it is None."""
    local: bool | None = None
    """Whether links between articles of the export lead to files; as the flavour has it where it is None."""
    images: Path | None = None
    """The archive's folder of copies, where texts are to show these; else pictures keep their addresses."""


class _Mentions(NamedTuple):
    """What an article may link to and show, by the keys of the addresses."""

    body: dict[str, int]
    pictures: dict[str, int]
    also_read: list[int]
    keys: set[int]


class Maker:
    """Says what an export's files are made of. Raises ArchiveError where the form is none."""

    def __init__(self, source: Source, manifest: Manifest, form: Form) -> None:
        self._source, self._manifest = source, manifest
        self._flavour = FLAVOURS[form.flavour]
        template = form.path or self._flavour.PATH
        self._layout = Layout(template, self._flavour.fit)
        local = self._flavour.LOCAL if form.local is None else form.local
        self._hosts = source.hosts() if local else set()
        # Articles tend to have the same links.
        self._known = lru_cache(8192)(partial(key_on, self._hosts))
        self._images = form.images
        told = ["images"] if form.images else []
        form_key = repr((version("alsoread"), form.flavour, template, sorted(self._hosts), *told))
        self._form_key = blake2b(form_key.encode(), digest_size=16).digest()

    def plan(self) -> None:
        """Tells the manifest what is to be written."""
        self._manifest.plan(chain(self._planned(), self._planned_pictures()))
        self._manifest.link(self._keys() if self._hosts or self._images else ())

    def _planned(self) -> Iterator[Planned]:
        for head in self._source.heads(self._layout.columns):
            yield Planned(
                head.page,
                head.url,
                self._layout.path(head.held, head.row),
                address(head.held, head.url),
                blake2b(self._form_key + head.state, digest_size=16).digest(),
                head.row["changed_at"],
            )

    def _planned_pictures(self) -> Iterator[Planned]:
        """The copies that are there; a picture whose copy is missing keeps its address."""
        if self._images is None:
            return
        for number, (url, held, hash_, fetched_at) in enumerate(self._source.copies(), PICTURES):
            if (self._images / held).is_file():
                path = "/".join(map(self._fit, held.split("/")))
                yield Planned(
                    number,
                    url,
                    f"{self._flavour.PICTURES}{path}",
                    f"/images/{quote(path)}",
                    blake2b(self._form_key + hash_.encode(), digest_size=16).digest(),
                    fetched_at,
                )

    def _fit(self, name: str) -> str:
        """A name of a picture's path as the program takes it, and no other picture has it."""
        fitted = self._flavour.fit(name)
        return name if fitted == name else marked(fitted, name, PurePosixPath(name).suffix)

    def _keys(self) -> Iterator[tuple[int, int]]:
        for page, url in self._manifest.planned_urls():
            yield key(url), page
        for url, page in self._source.moved():
            yield key(url), page

    def orders(self, items: Sequence[Planned]) -> list[tuple[Order | Copy, set[int]]]:
        """What it takes to make the files that were planned, and the keys of what each may link to or show."""
        articles = [item for item in items if item.page < PICTURES]
        made = dict(zip(articles, self._orders(articles), strict=True))
        copies = self._source.copies_of([item.url for item in items if item.page >= PICTURES])
        return [made.get(item) or (self._copy(item, *copies[item.url]), set()) for item in items]

    def _copy(self, item: Planned, held: str, hash_: str) -> Copy:
        return Copy(item.path, f"{self._images}/{held}", bytes.fromhex(hash_))

    def _orders(self, items: Sequence[Planned]) -> list[tuple[Order, set[int]]]:
        pages = [item.page for item in items]
        rows, aliases = self._source.rows(pages), self._source.led_here(pages)
        mentions = {page: self._mentions(row) for page, row in rows.items()}
        targets = self._manifest.targets(set().union(*(found.keys for found in mentions.values())))
        orders = []
        for item in items:
            found = mentions[item.page]
            order = Order(
                rows[item.page],
                item.path,
                item.address,
                {url: targets[number] for url, number in found.body.items() if number in targets},
                {url: targets[number] for url, number in found.pictures.items() if number in targets},
                [targets.get(number) for number in found.also_read],
                [address(str(path_of(url)), url) for url in aliases[item.page]],
            )
            orders.append((order, found.keys))
        return orders

    def _mentions(self, row: Row) -> _Mentions:
        held, images, links = row
        body, also_read, pictures = {}, [], {}
        if self._hosts:
            body = {url: number for url in addresses(held[BODY]) if (number := self._known(url)) is not None}
            also_read = [key(url) for url, _ in links]
        if self._images:
            shown = [held[THUMBNAIL] or "", *(url for url, *_ in images)]
            pictures = {url: key(url) for url in shown if url}
        return _Mentions(body, pictures, also_read, {*also_read, *body.values(), *pictures.values()})
