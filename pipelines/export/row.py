"""An article as the catalog has it: plain values, which cost little to hand to another process."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from crawler.items import Article, Image, Link

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

_TIMES = ("date", "updated")
_JSON = ("tags", "categories", "extra")


def article_of(row: Row) -> Article:
    """The article itself."""
    held, images, also_read = row
    values = dict(zip(COLUMNS, held, strict=True))
    for name in _TIMES:
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    for name in _JSON:
        values[name] = json.loads(values[name])
    return Article(
        **values, images=list(map(Image._make, images)), also_read=list(map(Link._make, also_read))
    )
