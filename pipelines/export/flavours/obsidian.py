"""Obsidian: a vault with a folder for each host, whose properties are flat."""

from __future__ import annotations

import re

from crawler.items import Article
from pipelines.archive.article_file import vocabulary
from pipelines.export.flavours import plain
from pipelines.export.flavours.item import Item, page
from pipelines.export.layout import in_form

PATH = "{host}/{slug}.md"
LOCAL = True
PICTURES = "images/"

_NOT_IN_LINK = re.compile(r"[#^\[\]|]")  # these have a meaning in a link to a note
_NOT_IN_TAG = re.compile(r"[^\w/-]+")
_RESERVED = frozenset(
    ("alias", "aliases", "tag", "cssclass", "cssclasses", "publish", "permalink", "image", "cover")
)
"""Properties with a meaning for Obsidian and its Publish, beside those of the vocabulary."""
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"

link = plain.link
picture = plain.picture
escape = plain.escape


def fit(name: str) -> str:
    """Return a name that a link can hold, without a dot at its beginning, which hides a note."""
    name = _NOT_IN_LINK.sub("-", name)
    return f"x{name}" if name.startswith(".") else name


def render(item: Item, article: Article) -> str:
    """Return the text of the file."""
    values = vocabulary(article) | {_property(key): value for key, value in article.extra.items()}
    for name in ("date", "updated"):
        if name in values:
            values[name] = in_form(values[name], _TIME_FORMAT)
    if article.tags:
        values["tags"] = list(dict.fromkeys(_tag(tag) for tag in article.tags))
    if item.thumbnail:
        values["thumbnail"] = f"[[{item.thumbnail.path}]]"
    if article.images:
        values["images"] = [image.url for image in article.images]
    if article.also_read:
        values["also_read"] = [
            f"[[{target.path.removesuffix('.md')}|{_alias(link.text)}]]" if target else link.url
            for link, target in zip(article.also_read, item.also_read, strict=True)
        ]
    if article.title:  # the file is named by the address
        values["aliases"] = [article.title]
    return page(values, article.body)


def _property(key: str) -> str:
    """Return a name of a property that has no meaning for Obsidian.

    >>> _property("mood"), _property("Publish")
    ('mood', 'source_Publish')
    """
    return f"source_{key}" if key.casefold() in _RESERVED else key


def _tag(tag: str) -> str:
    """Return a tag as Obsidian takes it: without spaces, and not a number.

    >>> _tag("weekday cooking"), _tag("C++"), _tag("1984")
    ('weekday-cooking', 'C', '_1984')
    """
    name = _NOT_IN_TAG.sub("-", tag).strip("-/")
    return f"_{name}" if not name or name.isdecimal() else name


def _alias(text: str) -> str:
    return _NOT_IN_LINK.sub(" ", text)
