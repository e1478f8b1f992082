"""From the catalog to files: what an export plans to write, and the text of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib.metadata import version
from typing import NamedTuple

from crawler.items import Article
from pipelines.export.flavours import FLAVOURS
from pipelines.export.flavours.item import Item
from pipelines.export.layout import Layout, address
from pipelines.export.links import Target, key, mentioned, rewrite
from pipelines.export.manifest import Manifest, Planned
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


class Made(NamedTuple):
    """A file: its text, and the keys of the addresses that it may link to files for."""

    text: str
    mentions: set[int]


class Maker:
    """Makes the files of an export. Raises ArchiveError where the form is none."""

    def __init__(self, source: Source, manifest: Manifest, form: Form) -> None:
        self._source, self._manifest = source, manifest
        self._flavour = FLAVOURS[form.flavour]
        template = form.path or self._flavour.PATH
        self._layout = Layout(template, self._flavour.fit)
        local = self._flavour.LOCAL if form.local is None else form.local
        self._hosts = source.hosts() if local else set()
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

    def make(self, items: Sequence[Planned]) -> Iterator[tuple[Planned, Made]]:
        """The files of articles that were planned."""
        articles = self._source.articles([item.page for item in items]) if items else {}
        for item in items:
            yield item, self._made(item, articles[item.page])

    def _made(self, item: Planned, article: Article) -> Made:
        place = Target(item.path, item.address)
        places = list(mentioned(article.body, self._hosts)) if self._hosts else []
        listed = [key(link.url) for link in article.also_read] if self._hosts else []
        mentions = {*listed, *(number for _, number in places)}
        targets = self._manifest.targets(mentions) if mentions else {}
        body = rewrite(
            article.body,
            [(where, target) for where, number in places if (target := targets.get(number))],
            lambda target, fragment: self._flavour.link(target, fragment, item.path),
            self._flavour.escape,
        )
        text = self._flavour.render(
            Item(
                article=replace(article, body=body),
                place=place,
                also_read=[targets.get(number) for number in listed] or [None] * len(article.also_read),
                aliases=[address(str(path_of(url)), url) for url in self._source.led_here(item.page)],
            )
        )
        return Made(text, mentions)
