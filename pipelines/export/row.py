"""An article as the catalog has it: plain values, which cost little to hand to another process."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

from crawler.items import Article, Image, Link

COLUMNS = tuple(field.name for field in fields(Article) if field.name not in ("images", "also_read"))
"""Of the table `articles`."""

_TIMES = ("date", "updated")
_JSON = ("tags", "categories", "extra")
_BODY = COLUMNS.index("body")


class Row(NamedTuple):
    """An article, with what it has in other tables."""

    values: tuple[Any, ...]
    """Of the COLUMNS."""
    images: list[tuple[str, str | None, str | None]]
    also_read: list[tuple[str, str]]

    @property
    def body(self) -> str:
        """The text."""
        return str(self.values[_BODY])

    def article(self) -> Article:
        """The article itself."""
        values = dict(zip(COLUMNS, self.values, strict=True))
        for name in _TIMES:
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        for name in _JSON:
            values[name] = json.loads(values[name])
        return Article(
            **values,
            images=list(map(Image._make, self.images)),
            also_read=list(map(Link._make, self.also_read)),
        )
