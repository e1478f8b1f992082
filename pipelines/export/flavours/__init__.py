"""The programs that exports are made for: a module each, which says what its program's documentation prescribes."""

from __future__ import annotations

from typing import Protocol

from pipelines.export.flavours import hexo, hugo, jekyll, obsidian, plain
from pipelines.export.flavours.item import Item
from pipelines.export.links import Target


class Flavour(Protocol):
    """What such a module has."""

    PATH: str
    """Where files lie below the export's folder, unless `--path` says otherwise."""
    LOCAL: bool
    """Whether links between articles of the export lead to files, unless `--links` says otherwise."""

    PICTURES: str
    """Where copies of pictures lie below the export's folder; on a site they are at `/images/`."""

    def fit(self, name: str) -> str:
        """A name of a path as the program takes it."""

    def escape(self, body: str) -> str:
        """The text, with what the program would take for its own marks made text."""

    def link(self, target: Target, fragment: str, here: str) -> str:
        """What stands in the parentheses of a link from the file `here`."""

    def picture(self, target: Target, here: str) -> str:
        """What stands in the parentheses of a picture in the file `here`."""

    def render(self, item: Item) -> str:
        """The text of an article's file."""


FLAVOURS: dict[str, Flavour] = {
    "plain": plain,
    "hexo": hexo,
    "hugo": hugo,
    "jekyll": jekyll,
    "obsidian": obsidian,
}
