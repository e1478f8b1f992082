"""The article that a flavour renders, and the frame of its file."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from crawler.items import Article
from pipelines.archive.articles import COLUMNS, of_row
from pipelines.archive.front_matter import yaml_block
from pipelines.export.links import Target

_BODY, _THUMBNAIL = COLUMNS.index("body"), COLUMNS.index("thumbnail")


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

    @property
    def body(self) -> str:
        """The text as it is archived."""
        body: str = self.values[_BODY]
        return body

    @property
    def pictures(self) -> list[str]:
        """The addresses of the thumbnail and the images."""
        return [url for url in (self.values[_THUMBNAIL], *(url for url, *_ in self.images)) if url]


@dataclass(frozen=True, kw_only=True)
class Item:
    """An article with its place in the export, and the places of what it links to and shows."""

    row: ArticleRow
    place: Target
    links: dict[str, Target]
    """Addresses in its text that lead to articles of the export."""
    pictures: dict[str, Target]
    """Addresses of its pictures, the thumbnail too, that are copied along."""
    also_read: list[Target | None]
    """Where the links of its list lead, those to articles of the export."""
    aliases: list[str]
    """Other addresses on a site that should lead to it."""

    @cached_property
    def article(self) -> Article:
        """The article as it is archived."""
        return self.row.article

    @property
    def thumbnail(self) -> Target | None:
        """The copy of its thumbnail, if there is one."""
        return self.pictures.get(self.row.values[_THUMBNAIL])

    @property
    def facts(self) -> bytes:
        """All that its file is made of."""
        places = [self.place, *self.links.values(), *self.pictures.values(), *self.also_read]
        plain = [
            [*self.row],
            [*self.links, *self.pictures, *self.aliases],
            [place and [*place] for place in places],
        ]
        return pickle.dumps(plain, pickle.HIGHEST_PROTOCOL)


def page(front_matter: dict[str, Any], body: str, more: str = "") -> str:
    """Return the text of a file; `more` are lines that end the front matter."""
    return f"---\n{yaml_block(front_matter)}\n{more}---\n\n{body}\n"
