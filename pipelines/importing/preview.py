"""Tell what an import would do, from an archive that is only read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlite_utils import Database

from crawler.items import Article
from pipelines.archive import articles
from pipelines.archive.connection import open_current
from pipelines.archive.files import hash_of
from pipelines.archive.schema import MIGRATIONS
from pipelines.importing.parse import ParsedFile
from pipelines.importing.reconcile import is_same_version, reconcile
from pipelines.importing.seen import ImportedFile, Kind, SeenAddresses, archived_hashes


def open_or_empty(path: Path) -> Database:
    """Open a catalog for reading; where there is none, an empty one in memory. Raises AlsoreadError."""
    if path.exists():
        return open_current(path)
    db = Database(memory=True)
    MIGRATIONS.apply(db)
    return db


class Preview:
    """Stand in for a Committer, and store nothing."""

    def __init__(self, db: Database) -> None:
        self.db = self._db = db
        self._seen = SeenAddresses(db)

    def commit(self, files: Sequence[ParsedFile]) -> list[ImportedFile]:
        """Return what would become of the files. Raises sqlite3.Error."""
        first = self._seen.add(files)
        archived = archived_hashes(self._db, first)
        return [
            self._seen.refusal(file, first) or ImportedFile(file.name, self._kind(file, archived))
            for file in files
        ]

    def _kind(self, file: ParsedFile, archived: dict[str, tuple[int, str | None]]) -> Kind:
        assert file.article  # noqa: S101 - else it is refused
        if file.article.url not in archived:
            return "new"
        page, file_hash = archived[file.article.url]
        is_same = file_hash == hash_of(file.content) or self._stays(page, file.article)
        return "unchanged" if is_same else "changed"

    def _stays(self, page: int, imported: Article) -> bool:
        """Return whether the archive's article would be the same version with the imported one's facts."""
        archived = articles.load(self._db, page)
        current, _ = reconcile(imported, archived)
        return is_same_version(current, archived)
