"""Jekyll: posts in `_posts`, named by their day."""

from __future__ import annotations

import re

from crawler.items import Article
from pipelines.export.flavours import sites
from pipelines.export.flavours.item import Item, page
from pipelines.export.layout import in_form
from pipelines.export.links import Target

PATH = "_posts/{host}/{date:%Y-%m-%d}-{slug}.md"
LOCAL = True
PICTURES = "images/"

_LIQUID = re.compile(r"\{[{%]")
_KRAMDOWN = re.compile(r"\{(?=:)")
"""The beginning of attributes and options, which kramdown takes out of a text and obeys."""
_JOINER = "\u2060"
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S +0000"

fit = sites.fit


def escape(body: str) -> str:
    """Escape what opens a Liquid tag, as a text that Liquid prints; kramdown's options get a joiner.

    >>> escape("{{ name }} {% if %}")
    '{{ "{{" }} name }} {{ "{%" }} if %}'
    """
    body = _KRAMDOWN.sub(f"{{{_JOINER}", body)
    return _LIQUID.sub(lambda match: f'{{{{ "{match[0]}" }}}}', body)


def link(target: Target, fragment: str, here: str) -> str:  # noqa: ARG001
    """Return the address of the post, as its `permalink` sets it, below the site's `baseurl`."""
    return f"{{{{ '{target.address}{fragment}' | relative_url }}}}"


def picture(target: Target, here: str) -> str:  # noqa: ARG001
    """Return the address of the file below the site's `baseurl`; the filter of links would decode parentheses."""
    return f"{{{{ site.baseurl }}}}{target.address}"


def render(item: Item, article: Article) -> str:
    """Return the text of the file."""
    values = sites.front_matter(item)
    if "date" in values:
        values["date"] = in_form(values["date"], _TIME_FORMAT)
    if "updated" in values:
        values["last_modified_at"] = in_form(values.pop("updated"), _TIME_FORMAT)
    values["permalink"] = item.place.address
    if item.aliases:
        values["redirect_from"] = item.aliases
    return page(values, article.body)
