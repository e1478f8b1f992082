"""Hugo: pages below `content`, a section for each host."""

from __future__ import annotations

import re
from posixpath import dirname, relpath

from crawler.items import Article
from pipelines.archive.front_matter import yaml_block
from pipelines.export.flavours import sites
from pipelines.export.flavours.item import Item, page
from pipelines.export.links import Target

PATH = "content/{host}/{slug}.md"
LOCAL = True
PICTURES = "static/images/"

_RESERVED = ("title", "date", "lastmod", "description", "tags", "categories", "keywords", "url", "aliases")
"""The keys that Hugo reserves and that are written; all others go below `params`."""
_SHORTCODE = re.compile(r"\{\{<(.*?)>\}\}|\{\{%(.*?)%\}\}|\{\{(?=[<%])", re.DOTALL)
_JOINER = "\u2060"

fit = sites.fit
picture = sites.picture


def escape(body: str) -> str:
    """Escape shortcodes in Hugo's own way; one without an end gets a joiner between its braces.

    >>> escape("{{< figure >}} {{% note %}}")
    '{{</* figure */>}} {{%/* note */%}}'
    """
    return _SHORTCODE.sub(_as_text, body)


def _as_text(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"{{{{</*{match[1]}*/>}}}}"
    if match[2] is not None:
        return f"{{{{%/*{match[2]}*/%}}}}"
    return f"{{{_JOINER}{{"


def link(target: Target, fragment: str, here: str) -> str:
    """Return the shortcode that finds a page by its file, whose path it takes for an address."""
    path = relpath(target.path, dirname(here) or ".").replace("%", "%25").replace("#", "%23")
    return f'{{{{< relref "{path}{fragment}" >}}}}'


def render(item: Item, article: Article) -> str:
    """Return the text of the file."""
    values = sites.front_matter(item)
    if "updated" in values:
        values["lastmod"] = values.pop("updated")
    if "keywords" in values:
        values["keywords"] = [word.strip() for word in values["keywords"].split(",") if word.strip()]
    values["url"] = item.place.address
    if item.aliases:
        values["aliases"] = item.aliases
    reserved = {name: values.pop(name) for name in _RESERVED if name in values}
    params = yaml_block(values).replace("\n", "\n  ")  # as it would be, many times faster
    return page(reserved, article.body, f"params:\n  {params}\n")
