"""The archive's own form: the same bytes as its own files, which `alsoread import` reads again."""

from __future__ import annotations

from posixpath import dirname, relpath
from urllib.parse import quote

from pipelines.archive.article_file import render as archived
from pipelines.export.flavours.item import Item
from pipelines.export.links import Target

PATH = "{host}/{slug}.md"
LOCAL = False
"""Links stay as they are unless it is asked for, so that nothing is lost on the way back."""
PICTURES = "images/"


def fit(name: str) -> str:
    """Any name will do."""
    return name


def escape(body: str) -> str:
    """Nothing has a meaning beside Markdown's."""
    return body


def link(target: Target, fragment: str, here: str) -> str:
    """The way from file to file."""
    return quote(relpath(target.path, dirname(here) or ".")) + fragment


def picture(target: Target, here: str) -> str:
    """The way from file to file."""
    return link(target, "", here)


def render(item: Item) -> str:
    """The text of the file."""
    return archived(item.article)
