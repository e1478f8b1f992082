"""The process that writes an import: batch after batch, each in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from crawler.clock import now
from pipelines.archive import articles
from pipelines.archive.files import Staged, discard, forget_pending, put_in_place
from pipelines.archive.store import connect
from pipelines.importing.parse import Packed, unpack
from pipelines.importing.reconcile import add, join, settle


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

    def __call__(self, packed: Sequence[bytes]) -> list[Outcome]:
        """What each file came to that was read and packed, once it is committed.

        Raises OSError and sqlite3.Error where nothing could be.
        """
        reads = [read for pack in packed for read in unpack(pack)]
        db = self._db = self._db or self._open()
        db.execute("BEGIN IMMEDIATE")
        try:
            outcomes = self._store(db, reads)
            db.commit()
        except BaseException:
            db.rollback()
            raise
        forget_pending(self.root)
        return outcomes

    def _open(self) -> Database:
        db = connect(self.path)
        # On disk and gone with the process: the addresses of an import need not fit into memory.
        db.execute("CREATE TEMP TABLE imported (url TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID")
        return db

    def _store(self, db: Database, reads: Sequence[Packed]) -> list[Outcome]:
        moment = now()
        outcomes: list[Outcome] = []
        new: list[Packed] = []
        kept: list[str] = []
        first = self._first(db, [(read.url, read.name) for read in reads if read.url])
        held = self._held(db, [read.url for read in reads if read.url and read.row])
        for read in reads:
            if read.url is None:
                outcomes.append(Outcome(read.name, "refused", read.reason))
                continue
            if read.url not in first:
                outcomes.append(
                    Outcome(read.name, "refused", f"the same address as {self._twin(db, read.url)}")
                )
                continue
            first.remove(read.url)
            if read.row is None:
                kept.append(read.url)
                outcomes.append(Outcome(read.name, "unchanged"))
            elif read.url in held:
                found = articles.of_row(read.row, read.images, read.also_read)
                kind = join(db, self.root, found, scope=self.scope, crawl=self.crawl, now=moment)
                outcomes.append(Outcome(read.name, kind))
            else:
                new.append(read)
                outcomes.append(Outcome(read.name, "new"))
        settle(db, kept, self.scope, moment)
        add(db, new, scope=self.scope, crawl=self.crawl, now=moment)
        self._place(reads, new)
        self._count(db, outcomes)
        return outcomes

    def _place(self, reads: Sequence[Packed], new: Sequence[Packed]) -> None:
        """Puts the files of new articles in their places: within the transaction, as whoever settles waits for it."""
        wanted = {Staged(*read.file) for read in new if read.file}
        written = {Staged(*read.file) for read in reads if read.file}
        discard(self.root, written - wanted)
        put_in_place(self.root, wanted)

    def _held(self, db: Database, urls: Sequence[str]) -> set[str]:
        query = "SELECT url FROM articles WHERE url IN (SELECT value FROM json_each(?))"
        return {url for (url,) in db.execute(query, [json.dumps(urls)])}

    def _first(self, db: Database, found: Sequence[tuple[str, str]]) -> set[str]:
        """The addresses that this import had not met yet; it remembers them with their files' names."""
        query = """INSERT OR IGNORE INTO imported SELECT value ->> 0, value ->> 1 FROM json_each(?)
                   RETURNING url"""
        return {url for (url,) in db.execute(query, [json.dumps(found)])}

    def _twin(self, db: Database, url: str) -> str:
        """Which file of this import had the address first."""
        name: str = db.execute("SELECT name FROM imported WHERE url = ?", [url]).fetchone()[0]
        return name

    def _count(self, db: Database, outcomes: Sequence[Outcome]) -> None:
        kinds = Counter(outcome.kind for outcome in outcomes)
        db.execute(
            """UPDATE crawls SET pages = pages + :pages, new = new + :new, changed = changed + :changed,
                 unchanged = unchanged + :unchanged WHERE id = :crawl""",
            {kind: kinds[kind] for kind in ("new", "changed", "unchanged")}
            | {"pages": kinds.total() - kinds["refused"], "crawl": self.crawl},
        )
