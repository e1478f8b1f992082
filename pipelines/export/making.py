"""From the catalog to files: what an export plans to write, and what each is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from importlib.metadata import version
from typing import NamedTuple

from pipelines.export.flavours import FLAVOURS
from pipelines.export.layout import Layout, address
from pipelines.export.links import addresses, key, key_on
from pipelines.export.manifest import Manifest, Planned
from pipelines.export.rendering import Order
from pipelines.export.row import BODY, Row
from pipelines.export.source import Source
from pipelines.markdown import path_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How Markdown files are written."""

    flavour: str = "plain"
    """A key of FLAVOURS."""
    path: str | None = None
    """The template of the files' paths; the flavour's own where it is None."""
    local: bool | None = None
    """Whether links between articles of the export lead to files; as the flavour has it where it is None."""


class _Mentions(NamedTuple):
    """What an article may link to, by the keys of the addresses."""

    body: dict[str, int]
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
        form_key = repr((version("alsoread"), form.flavour, template, sorted(self._hosts)))
        self._form_key = blake2b(form_key.encode(), digest_size=16).digest()

    def plan(self) -> None:
        """Tells the manifest what is to be written."""
        self._manifest.plan(self._planned())
        self._manifest.link(self._keys() if self._hosts else ())

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

    def _keys(self) -> Iterator[tuple[int, int]]:
        for page, url in self._manifest.planned_urls():
            yield key(url), page
        for url, page in self._source.moved():
            yield key(url), page

    def orders(self, items: Sequence[Planned]) -> list[tuple[Order, set[int]]]:
        """What it takes to make the files of articles that were planned, and the keys of what each may link to."""
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
                [targets.get(number) for number in found.also_read],
                [address(str(path_of(url)), url) for url in aliases[item.page]],
            )
            orders.append((order, found.keys))
        return orders

    def _mentions(self, row: Row) -> _Mentions:
        if not self._hosts:
            return _Mentions({}, [], set())
        held, _, links = row
        body = {url: number for url in addresses(held[BODY]) if (number := self._known(url)) is not None}
        also_read = [key(url) for url, _ in links]
        return _Mentions(body, also_read, {*also_read, *body.values()})
