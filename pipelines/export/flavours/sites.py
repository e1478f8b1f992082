"""Rules that the site generators share: Hexo, Hugo and Jekyll."""

from __future__ import annotations

import re
from typing import Any

from pipelines.archive.article_file import vocabulary
from pipelines.export.flavours.item import Item
from pipelines.export.links import Target

# Names that a generator skips, or takes for the page of a folder.
_SKIPPED = re.compile(r"[_.#]|index\.md$", re.IGNORECASE)


def fit(name: str) -> str:
    """Return a name of a path that no generator skips.

    >>> fit("_notes.md"), fit("index.md"), fit("bread.md")
    ('x_notes.md', 'xindex.md', 'bread.md')
    """
    return f"x{name}" if _SKIPPED.match(name) else name


def picture(target: Target, here: str) -> str:  # noqa: ARG001
    """Return the address of the file."""
    return target.address


def front_matter(item: Item) -> dict[str, Any]:
    """Return the vocabulary; `url` becomes `source_url`, as a site's pages have addresses of their own.

    Keys that the article's file brought along stand below `extra`: elsewhere a program, its themes and its plugins
    could take any of them for a directive, `layout: ../../x` or `redirect_to`.
    """
    values = vocabulary(item.article)
    for entry, target in zip(values.get("also_read", ()), item.also_read, strict=False):
        if target:
            entry["url"] = target.address
    if item.thumbnail:
        values["thumbnail"] = item.thumbnail.address
    values = {"source_url" if key == "url" else key: value for key, value in values.items()}
    return values | {"extra": item.article.extra} if item.article.extra else values
