"""An article as the catalog has it: plain values, which cost little to hand to another process."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from crawler.items import Article
from pipelines.archive.articles import of_row

COLUMNS = tuple(field.name for field in fields(Article) if field.name not in ("images", "also_read"))
"""Of the table `articles`."""
BODY = COLUMNS.index("body")
"""Of the COLUMNS the one with the text."""
THUMBNAIL = COLUMNS.index("thumbnail")

Row = tuple[
    tuple[Any, ...],  # of the COLUMNS
    list[tuple[str, str | None, str | None]],  # its pictures: address, alt, title
    list[tuple[str, str]],  # its also-read list: address, text
]


def article_of(row: Row) -> Article:
    """The article itself."""
    held, images, also_read = row
    return of_row(dict(zip(COLUMNS, held, strict=True)), images, also_read)
