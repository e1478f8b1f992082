"""The process that writes an import: batch after batch, each in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from crawler.clock import now
from pipelines import articles
from pipelines.importing.joining import add, join
from pipelines.importing.reading import Read
from pipelines.markdown import write
from pipelines.store import connect


class Outcome(NamedTuple):
    """What a file came to: `new`, `changed`, `unchanged`, or `refused` for a reason."""

    name: str
    kind: str
    reason: str | None = None


class Storing:
    """Stores what was read in an archive that it opens with the first batch."""

    def __init__(self, path: Path, *, scope: Sequence[str], crawl: int) -> None:
        """`crawl`: the run that the rows belong to."""
        self.path, self.root, self.scope, self.crawl = path, path.parent / "articles", scope, crawl
        self._db: Database | None = None

    def __call__(self, reads: Sequence[Read]) -> list[Outcome]:
        """What each file came to, once it is committed. Raises OSError and sqlite3.Error where nothing could be."""
        db = self._db = self._db or self._open()
        db.execute("BEGIN IMMEDIATE")
        try:
            outcomes = self._store(db, reads)
            db.commit()
        except BaseException:
            db.rollback()
            raise
        return outcomes

    def _open(self) -> Database:
        db = connect(self.path)
        # On disk and gone with the process: the addresses of an import need not fit into memory.
        db.execute("CREATE TEMP TABLE imported (url TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID")
        return db

    def _store(self, db: Database, reads: Sequence[Read]) -> list[Outcome]:
        moment = now()
        outcomes: list[Outcome] = []
        new: list[Read] = []
        twins: set[str] = set()
        held = self._held(db, [read.article.url for read in reads if read.article])
        for read in reads:
            if read.article is None:
                outcomes.append(Outcome(read.name, "refused", read.reason))
            elif twin := self._twin(db, read.article.url, read.name):
                outcomes.append(Outcome(read.name, "refused", f"the same address as {twin}"))
                twins.add(read.article.url)
            elif read.article.url in held:
                kind = join(db, self.root, read.article, scope=self.scope, crawl=self.crawl, now=moment)
                outcomes.append(Outcome(read.name, kind))
            else:
                new.append(read)
                outcomes.append(Outcome(read.name, "new"))
        add(db, new, scope=self.scope, crawl=self.crawl, now=moment)
        for read in new:
            if read.article and not read.placed:
                write(self.root, read.article)
        for url in twins:  # two readers may have written its file at the same time
            write(self.root, articles.load(db, articles.find(db, url)))
        self._count(db, outcomes)
        return outcomes

    def _held(self, db: Database, urls: Sequence[str]) -> set[str]:
        query = "SELECT url FROM articles WHERE url IN (SELECT value FROM json_each(?))"
        return {url for (url,) in db.execute(query, [json.dumps(urls)])}

    def _twin(self, db: Database, url: str, name: str) -> str | None:
        """Which file of this import had the address already."""
        if db.execute("INSERT OR IGNORE INTO imported VALUES (?, ?)", [url, name]).rowcount:
            return None
        twin: str = db.execute("SELECT name FROM imported WHERE url = ?", [url]).fetchone()[0]
        return twin

    def _count(self, db: Database, outcomes: Sequence[Outcome]) -> None:
        kinds = Counter(outcome.kind for outcome in outcomes)
        db.execute(
            """UPDATE crawls SET pages = pages + :pages, new = new + :new, changed = changed + :changed,
                 unchanged = unchanged + :unchanged WHERE id = :crawl""",
            {kind: kinds[kind] for kind in ("new", "changed", "unchanged")}
            | {"pages": kinds.total() - kinds["refused"], "crawl": self.crawl},
        )
