"""Plain: the same bytes as the archive's own files, which `alsoread import` reads again."""

from __future__ import annotations

from posixpath import dirname, relpath
from urllib.parse import quote

from crawler.items import Article
from pipelines.archive.article_file import render as archived
from pipelines.export.flavours.item import Item
from pipelines.export.links import Target

PATH = "{host}/{slug}.md"
LOCAL = False
"""An import gives the same articles back: their links must stay as they are."""
PICTURES = "images/"


def fit(name: str) -> str:
    """Return the name as it is."""
    return name


def escape(body: str) -> str:
    """Return the text as it is."""
    return body


def link(target: Target, fragment: str, here: str) -> str:
    """Return the relative path from file to file."""
    return quote(relpath(target.path, dirname(here) or ".")) + fragment


def picture(target: Target, here: str) -> str:
    """Return the relative path from file to file."""
    return link(target, "", here)


def render(item: Item, article: Article) -> str:  # noqa: ARG001
    """Return the text of the file."""
    return archived(article)
