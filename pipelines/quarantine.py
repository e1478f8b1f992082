"""Save the raw pages of quarantined visits, for review.

They lie below `look/` beside the articles, under the same names: `look/HOST/SLUG.html`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from crawler.items import Visit
from pipelines.archive.article_file import path_of
from pipelines.archive.files import files_written, forget_pending, remove_file

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


LOOK = "look"
"""Their folder, in the archive's."""


def file_of(data: Path, url: str) -> Path:
    """Return the path of the raw page of a canonical address."""
    return data / LOOK / _name(url)


def keep(data: Path, url: str, html: bytes) -> None:
    """Write the raw page of a canonical address, whole or not at all. Raises OSError."""
    with files_written(data / LOOK) as put:
        put(_name(url), html)
    forget_pending(data / LOOK)  # it has no row of its own


def drop(data: Path, url: str) -> None:
    """Remove the raw page of a canonical address, if any. Raises OSError."""
    remove_file(data / LOOK, _name(url))


def _name(url: str) -> PurePosixPath:
    return path_of(url).with_suffix(".html")


class SaveQuarantined:
    """Save the page of a quarantined visit, until its article is stored again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._saved = set((data / LOOK).rglob("*.html"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Create it from a crawler."""
        return cls(Path(crawler.settings["ALSOREAD_DATA"]))

    def process_item(self, item: Any) -> Any:
        """Return the item without its raw page."""
        if not isinstance(item, Visit):
            return item
        if item.quarantine and item.html:
            keep(self.data, item.url, item.html)
            self._saved.add(file_of(self.data, item.url))
        elif item.state == "stored" and self._saved:
            drop(self.data, item.url)
            self._saved.discard(file_of(self.data, item.url))
        return replace(item, html=None) if item.html else item
