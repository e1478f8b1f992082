"""From an article to the bytes of its file. All that is needed comes along, so another process can do it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from pipelines.export.flavours import FLAVOURS
from pipelines.export.flavours.item import Item
from pipelines.export.links import Target, rewrite
from pipelines.export.row import Row, article_of


class Order(NamedTuple):
    """A file that is to be made."""

    row: Row
    path: str
    address: str
    """Its page's, on a site that is made of the export."""
    links: dict[str, tuple[str, str]]
    """Targets, as plain values: of the addresses that its text may link to, those of articles of the export."""
    also_read: list[tuple[str, str] | None]
    """Where the links of its list lead, those to articles of the export; empty where none is to lead there."""
    aliases: list[str]
    """Other addresses on a site that should lead to it."""


def content(order: Order, flavour: str) -> bytes:
    """What the file holds for the program, a key of FLAVOURS."""
    form = FLAVOURS[flavour]
    article = article_of(order.row)
    body = rewrite(
        article.body,
        {url: Target(*target) for url, target in order.links.items()},
        lambda target, fragment: form.link(target, fragment, order.path),
        form.escape,
    )
    if body is not article.body:
        article = replace(article, body=body)
    item = Item(
        article=article,
        place=Target(order.path, order.address),
        also_read=[target and Target(*target) for target in order.also_read]
        or [None] * len(article.also_read),
        aliases=order.aliases,
    )
    return form.render(item).encode()
