"""Store imported articles, a batch in each transaction: their files, then all their rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlite_utils import Database

from crawler.clock import now
from crawler.items import Article, Link, iso
from pipelines.archive import articles, pages, revisit
from pipelines.archive.article_file import path_of, render
from pipelines.archive.files import Put, files_written, hash_of
from pipelines.archive.pending import committed_together
from pipelines.archive.storage_errors import ends_run, explain
from pipelines.importing.parse import ParsedFile
from pipelines.importing.reconcile import keep_older, reconcile
from pipelines.importing.seen import ImportedFile, Kind, SeenAddresses, archived_hashes


class Committer:
    """Commit parsed files to an archive that this process holds."""

    def __init__(self, db: Database, root: Path, scope: Sequence[str], crawl: int) -> None:
        """`root`: the folder of the articles; `crawl`: the run that the rows belong to."""
        self.db = db
        self._root, self._scope, self._crawl = root, scope, crawl
        self._seen = SeenAddresses(db)

    def commit(self, files: Sequence[ParsedFile]) -> list[ImportedFile]:
        """Store the articles of the files, all in one commit. Raises OSError and sqlite3.Error."""
        with committed_together(self.db, self._root.parent):
            first = self._seen.add(files)
            batch = _Batch(self.db, archived_hashes(self.db, first), self._scope, self._crawl)
            with files_written(self._root) as put:
                imported = [self._import(file, first, batch, put) for file in files]
            batch.store_rows()
            self._count(imported)
        return imported

    def _import(self, file: ParsedFile, first: set[str], batch: _Batch, put: Put) -> ImportedFile:
        if refusal := self._seen.refusal(file, first):
            return refusal
        assert file.article  # noqa: S101 - else it is refused
        try:
            return ImportedFile(file.name, batch.add(file.article, file.content, put))
        except OSError as error:
            if ends_run(error):
                raise
            return ImportedFile(file.name, "refused", str(explain(error, self._root)).removesuffix("."))

    def _count(self, imported: Sequence[ImportedFile]) -> None:
        kinds = Counter(file.kind for file in imported)
        self.db.execute(
            """UPDATE crawls SET pages = pages + :pages, new = new + :new, changed = changed + :changed,
                 unchanged = unchanged + :unchanged WHERE id = :crawl""",
            {kind: kinds[kind] for kind in ("new", "changed", "unchanged")}
            | {"pages": kinds.total() - kinds["refused"], "crawl": self._crawl},
        )


class _Batch:
    """Store the articles of one commit: files one by one, the rows of new articles together."""

    def __init__(
        self, db: Database, archived: Mapping[str, tuple[int, str | None]], scope: Sequence[str], crawl: int
    ) -> None:
        self._db, self._archived, self._scope, self._crawl = db, archived, scope, crawl
        self._now = now()
        self._new: dict[str, tuple[Article, str | None]] = {}
        self._known: list[str] = []
        self._links: dict[int, Sequence[Link]] = {}

    def add(self, article: Article, content: bytes, put: Put) -> Kind:
        """Write an article's file, and the rows of one that the archive has. Raises OSError."""
        if article.url not in self._archived:
            self._new[article.url] = article, put(path_of(article.url), content)
            return "new"
        page, file_hash = self._archived[article.url]
        if file_hash == hash_of(content):
            put(path_of(article.url), content)
            kind: Kind = "unchanged"
        else:
            kind = self._merge(page, article, put)
        self._known.append(article.url)
        return kind

    def store_rows(self) -> None:
        """Insert the rows of new articles, and make due what the articles link to."""
        moment = iso(self._now)
        ids = self._settle([*self._known, *self._new])
        new = {ids[url]: article for url, article in self._new.items()}
        articles.insert(self._db, new, self._crawl, moment)
        links = self._links | {page: article.also_read for page, (article, _) in new.items()}
        found_on = {link.url: page for page, listed in reversed(links.items()) for link in listed}
        targets = pages.add(  # in the order of the index, which is then walked once
            self._db, sorted(found_on), scope=self._scope, depth=1, now=moment, found_on=found_on
        )
        listed = {page: [(targets[link.url], link.text) for link in links[page]] for page in links}
        articles.store_links(self._db, listed, moment)

    def _merge(self, page: int, imported: Article, put: Put) -> Kind:
        """Make one article of an imported one and the one that the archive has."""
        archived = articles.load(self._db, page)
        current, older = reconcile(imported, archived)
        file_hash = put(path_of(current.url), render(current).encode())
        if older:
            keep_older(self._db, page, older, iso(self._now), self._crawl)
        if current.also_read != archived.also_read:
            self._links[page] = current.also_read
        return articles.store(self._db, page, current, self._crawl, iso(self._now), file_hash=file_hash)

    def _settle(self, urls: Sequence[str]) -> dict[str, int]:
        """Return the ids of articles' pages: a crawl can begin at them, and visits them when some time has passed."""
        moment, due_at = iso(self._now), iso(self._now + revisit.FIRST)
        ids = pages.add(self._db, urls, scope=self._scope, depth=0, now=moment)
        self._db.execute(
            """UPDATE pages SET state = 'stored', error = NULL, attempts = 0, moved_to = NULL,
                 fetched_at = coalesce(fetched_at, :now), due_at = :due_at
               WHERE state NOT IN ('stored', 'gone') AND id IN (SELECT value FROM json_each(:ids))""",
            {"now": moment, "due_at": due_at, "ids": json.dumps(list(ids.values()))},
        )
        return ids
