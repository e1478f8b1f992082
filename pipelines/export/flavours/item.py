"""What a flavour gets of an article."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crawler.items import Article
from pipelines.archive.front_matter import yaml_block
from pipelines.export.links import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article and what is round it in the export."""

    article: Article
    """With its text as the flavour has it."""
    place: Target
    """Its own."""
    also_read: list[Target | None]
    """Where the links of its list lead, those to articles of the export."""
    aliases: list[str]
    """Other addresses on a site that should lead to it."""
    thumbnail: Target | None
    """The copy of its thumbnail, if there is one."""


def page(front_matter: dict[str, Any], body: str, more: str = "") -> str:
    """The text of a file; `more` are lines that end the front matter."""
    return f"---\n{yaml_block(front_matter)}\n{more}---\n\n{body}\n"
