"""Raw pages in quarantine, for a person to look at: those whose readings could have lost an archived article.

They lie below `look/` beside the articles, under the same names: `look/HOST/SLUG.html`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crawler.items import Visit
from pipelines.markdown import path_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


LOOK = "look"
"""Their folder, in the archive's."""


def file_of(data: Path, url: str) -> Path:
    """Where the raw page of a canonical address is kept, if it is."""
    return data / LOOK / path_of(url).with_suffix(".html")


def keep(file: Path, html: bytes) -> None:
    """Writes a page, whole or not at all. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".part")
    with temporary.open("wb") as part:
        part.write(html)
        part.flush()
        os.fsync(part.fileno())
    temporary.replace(file)


class KeepDoubtful:
    """Pipeline: keeps the page of a visit in quarantine, until its article is read well again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.kept = set((data / LOOK).rglob("*.html"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make one."""
        return cls(Path(crawler.settings["ALSOREAD_DATA"]))

    def process_item(self, item: Any) -> Any:
        """The item without its page."""
        if not isinstance(item, Visit):
            return item
        if item.quarantine and item.html:
            file = file_of(self.data, item.url)
            keep(file, item.html)
            self.kept.add(file)
        elif item.state == "stored" and self.kept:
            file = file_of(self.data, item.url)
            file.unlink(missing_ok=True)
            self.kept.discard(file)
        return replace(item, html=None) if item.html else item
