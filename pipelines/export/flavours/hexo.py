"""Hexo: posts below `source/_posts`, at addresses of their own."""

from __future__ import annotations

import re

from crawler.items import Article, iso
from pipelines.export.flavours import sites
from pipelines.export.flavours.item import Item, page
from pipelines.export.links import Target

PATH = "source/_posts/{host}/{slug}.md"
LOCAL = True
PICTURES = "source/images/"

_TAG = re.compile(r"\{[{%#]")

fit = sites.fit
picture = sites.picture


def escape(body: str) -> str:
    """Return the text as it is: where it has Nunjucks tags, the front matter switches these off."""
    return body


def link(target: Target, fragment: str, here: str) -> str:  # noqa: ARG001
    """Return the address of the post, as its `permalink` sets it: `{% post_path %}` would search all posts."""
    return target.address + fragment


def render(item: Item, article: Article) -> str:
    """Return the text of the file."""
    values = sites.front_matter(item)
    for name in ("date", "updated"):
        if name in values:  # as a text: Hexo takes a YAML time for one of the machine's own time zone
            values[name] = iso(values[name])
    categories = values.get("categories", [])
    if len(categories) > 1:  # a plain list would nest them
        values["categories"] = [[name] for name in categories]
    values["permalink"] = item.place.address.removeprefix("/")
    if _TAG.search(article.body):
        values["disableNunjucks"] = True
    return page(values, article.body)
