"""Compare the files of an import with each other and with the archive's articles, by address."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from sqlite_utils import Database

from pipelines.importing.parse import ParsedFile

Kind = Literal["new", "changed", "unchanged"]


class ImportedFile(NamedTuple):
    """An imported file and what became of its article."""

    name: str
    kind: Kind | Literal["refused"]
    reason: str | None = None
    """Why it was refused."""


class SeenAddresses:
    """Remember the addresses of an import, each with the first file that has it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        # On disk and gone with the connection: the addresses of an import need not fit into memory.
        db.execute("CREATE TEMP TABLE imported (url TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID")

    def add(self, files: Sequence[ParsedFile]) -> set[str]:
        """Remember the files' addresses, and return those that are new to the import."""
        query = (
            "INSERT OR IGNORE INTO imported SELECT value ->> 0, value ->> 1 FROM json_each(?) RETURNING url"
        )
        named = json.dumps([(file.article.url, file.name) for file in files if file.article])
        return {url for (url,) in self._db.execute(query, [named])}

    def refusal(self, file: ParsedFile, first: set[str]) -> ImportedFile | None:
        """Return why a file is refused; None for an article's first file, whose address leaves `first`."""
        if file.article is None:
            return ImportedFile(file.name, "refused", file.reason)
        if file.article.url in first:
            first.remove(file.article.url)
            return None
        query = "SELECT name FROM imported WHERE url = ?"
        twin = self._db.execute(query, [file.article.url]).fetchone()[0]
        return ImportedFile(file.name, "refused", f"the same address as {twin}")


def archived_hashes(db: Database, urls: Collection[str]) -> dict[str, tuple[int, str | None]]:
    """Return the pages and the file hashes of articles that the archive has, by address."""
    query = "SELECT url, id, file_hash FROM articles WHERE url IN (SELECT value FROM json_each(?))"
    return {url: (page, hash_) for url, page, hash_ in db.execute(query, [json.dumps(list(urls))])}
