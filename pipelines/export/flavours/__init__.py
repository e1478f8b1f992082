"""Flavours of exports: one module per program that reads them, after that program's documentation."""

from __future__ import annotations

from typing import Protocol

from crawler.items import Article
from pipelines.export.flavours import hexo, hugo, jekyll, obsidian, plain
from pipelines.export.flavours.item import Item
from pipelines.export.links import Target


class Flavour(Protocol):
    """Interface of a flavour's module."""

    PATH: str
    """Template of the files' paths; `--path` overrides it."""
    LOCAL: bool
    """Whether links between articles of the export lead to files; `--links` overrides it."""
    PICTURES: str
    """Folder of the copies of pictures; on a site they are at `/images/`."""

    def fit(self, name: str) -> str:
        """Return a name of a path as the program takes it."""

    def escape(self, body: str) -> str:
        """Return the text with the program's own syntax escaped."""

    def link(self, target: Target, fragment: str, here: str) -> str:
        """Return the target of a link from the file `here`, as it stands in the parentheses."""

    def picture(self, target: Target, here: str) -> str:
        """Return the target of a picture in the file `here`, as it stands in the parentheses."""

    def render(self, item: Item, article: Article) -> str:
        """Return the text of a file; `article` is that of the item, with its body linked and escaped."""


FLAVOURS: dict[str, Flavour] = {
    "plain": plain,
    "hexo": hexo,
    "hugo": hugo,
    "jekyll": jekyll,
    "obsidian": obsidian,
}
