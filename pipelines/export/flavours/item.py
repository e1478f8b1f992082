"""The article that a flavour renders, and the frame of its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crawler.items import Article
from pipelines.archive.front_matter import yaml_block
from pipelines.export.links import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article with its place in the export."""

    article: Article
    """Its body is escaped and linked for the flavour."""
    place: Target
    """Its own."""
    also_read: list[Target | None]
    """Where the links of its list lead, those to articles of the export."""
    aliases: list[str]
    """Other addresses on a site that should lead to it."""
    thumbnail: Target | None
    """The copy of its thumbnail, if there is one."""


def page(front_matter: dict[str, Any], body: str, more: str = "") -> str:
    """Return the text of a file; `more` are lines that end the front matter."""
    return f"---\n{yaml_block(front_matter)}\n{more}---\n\n{body}\n"
