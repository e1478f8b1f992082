"""Find the images that lack a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import iso
from crawler.media_types import image_type
from crawler.urls import is_data_url, named_host
from pipelines.archive.files import read_file
from pipelines.archive.selection import ArticleFilter, where_clause
from pipelines.images import rows
from pipelines.images.paths import FOLDER, places

_SHOWN = """
CREATE TEMP TABLE shown AS
WITH chosen AS (SELECT id, thumbnail FROM articles WHERE {chosen})
SELECT url, state, due_at, row_number() OVER (PARTITION BY host(url) ORDER BY url) AS turn
FROM (SELECT url FROM images WHERE article IN (SELECT id FROM chosen)
      UNION SELECT thumbnail FROM chosen WHERE thumbnail NOT NULL)
LEFT JOIN pictures USING (url) WHERE NOT is_data_url(url)
"""
"""A `data:` address is the image itself: it needs no copy."""
_WANTED = """
CREATE TEMP TABLE wanted AS
SELECT url FROM shown WHERE state IS NULL OR due_at <= ? ORDER BY turn, url
"""


class Wanted:
    """The addresses of images without a copy whose next try is due; hosts take turns."""

    def __init__(self, db: Database, data: Path, hosts: Sequence[str]) -> None:
        """Those that articles of these hosts show (patterns; of all where there are none). Raises UsageError."""
        self._db, self._root = db, data / FOLDER
        chosen, values = where_clause(db, ArticleFilter(hosts=hosts))
        db.register_function(named_host, name="host", deterministic=True, replace=True)
        db.register_function(is_data_url, deterministic=True, replace=True)
        db.execute(_SHOWN.format(chosen=chosen), values)
        db.execute(_WANTED, [iso(now())])
        self.count = self._number("wanted")
        """Number of addresses."""
        self.existing = self._number("shown WHERE state = 'stored'")
        """Number of copies that exist already, with those adopted while iterating."""

    def _number(self, rows: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])

    def __iter__(self) -> Iterator[str]:
        # It reads a table of its own, so iterating holds no lock on the catalog.
        for (url,) in self._db.execute("SELECT url FROM wanted ORDER BY rowid"):
            if self._adopts(url):
                self.existing += 1
            else:
                yield url

    def _adopts(self, url: str) -> bool:
        """Store the row of a copy that has none, as after a rebuild."""
        for kind, path in places(url).items():
            content = self._content(path)
            if content is not None and image_type(content) == kind:
                fetched_at = iso(datetime.fromtimestamp((self._root / path).lstat().st_mtime, UTC))
                with self._db.atomic():
                    rows.put_copy(self._db, url, path, kind, content, fetched_at=fetched_at)
                return True
        return False

    def _content(self, path: PurePosixPath) -> bytes | None:
        try:
            return read_file(self._root, path)
        except OSError:
            return None
