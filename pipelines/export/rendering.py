"""From an article to the bytes of its file. All that is needed comes along, so another process can do it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from crawler.errors import ArchiveError, ReadError
from pipelines.export.flavours import FLAVOURS
from pipelines.export.flavours.item import Item
from pipelines.export.links import Forms, Target, rewrite
from pipelines.export.row import Row, article_of
from pipelines.export.target import digest


class Copy(NamedTuple):
    """A picture that is to be copied."""

    path: str
    file: str
    """Where the archive has it."""
    hash: bytes
    """Its digest."""

    def content(self) -> bytes:
        """What the file holds. Raises ArchiveError where it is not what the archive fetched."""
        try:
            held = Path(self.file).read_bytes()
        except FileNotFoundError:
            held = b""
        except OSError as error:
            raise ReadError(error.errno, error.strerror, self.file) from None
        if digest(held) != self.hash:
            mend = "`alsoread verify --repair` makes it due again, and `alsoread images` fetches it"
            raise ArchiveError(f"{self.file} is missing or damaged: {mend}.", 7)
        return held


class Order(NamedTuple):
    """A file that is to be made."""

    row: Row
    path: str
    address: str
    """Its page's, on a site that is made of the export."""
    links: dict[str, tuple[str, str]]
    """Targets, as plain values: of the addresses that its text may link to, those of articles of the export."""
    pictures: dict[str, tuple[str, str]]
    """The same, of the addresses of its pictures, the thumbnail too: those that are copied along."""
    also_read: list[tuple[str, str] | None]
    """Where the links of its list lead, those to articles of the export; empty where none is to lead there."""
    aliases: list[str]
    """Other addresses on a site that should lead to it."""


def content(order: Order, flavour: str) -> bytes:
    """What the file holds for the program, a key of FLAVOURS."""
    form = FLAVOURS[flavour]
    article = article_of(order.row)
    pictures = {url: Target(*target) for url, target in order.pictures.items()}
    body = rewrite(
        article.body,
        {url: Target(*target) for url, target in order.links.items()},
        pictures,
        Forms(
            lambda target, fragment: form.link(target, fragment, order.path),
            lambda target: form.picture(target, order.path),
            form.escape,
        ),
    )
    if body is not article.body:
        article = replace(article, body=body)
    item = Item(
        article=article,
        place=Target(order.path, order.address),
        also_read=[target and Target(*target) for target in order.also_read]
        or [None] * len(article.also_read),
        aliases=order.aliases,
        thumbnail=pictures.get(article.thumbnail or ""),
    )
    return form.render(item).encode()
