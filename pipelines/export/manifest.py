"""What an export wrote, and what it is to write: an SQLite database in the export's own folder.

A file belongs to the export while its bytes have one of the hashes that are kept here. The row of a file says
what is about to be written before it is, so an export that was killed knows its files again.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Self

from crawler.errors import ArchiveError
from pipelines.archive.storage_errors import ends_run
from pipelines.export.layout import folded, marked
from pipelines.export.target import Stand

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY,
  url TEXT UNIQUE,
  path TEXT NOT NULL,
  key BLOB,
  hash BLOB NOT NULL,
  was BLOB,
  mentions BLOB NOT NULL,
  size INTEGER,
  mtime INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS files_path ON files(path);
CREATE TABLE IF NOT EXISTS targets (
  key INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  address TEXT NOT NULL
) STRICT;
CREATE TEMP TABLE plan (
  page INTEGER PRIMARY KEY,
  url TEXT NOT NULL,
  path TEXT NOT NULL,
  folded TEXT NOT NULL,
  address TEXT NOT NULL,
  key BLOB NOT NULL,
  changed_at TEXT NOT NULL
);
CREATE TEMP TABLE linked (key INTEGER PRIMARY KEY, path TEXT NOT NULL, address TEXT NOT NULL);
"""

_CHANGED = """
CREATE TEMP TABLE changed AS
  SELECT key FROM linked LEFT JOIN targets USING (key)
  WHERE targets.path IS NOT linked.path OR targets.address IS NOT linked.address
  UNION ALL
  SELECT key FROM targets WHERE key NOT IN (SELECT key FROM linked)
"""
_BATCH = 200
_WAL_PAGES = 8_000
"""About 32 MB."""


PICTURES = 2**32
"""The first number that stands for a picture where articles have their page."""


class Planned(NamedTuple):
    """An article that was chosen, or a picture of it: where its file belongs, and what its bytes come of."""

    page: int
    url: str
    path: str
    address: str
    key: bytes
    """Differs where the file may differ."""
    changed_at: str


class Written(NamedTuple):
    """A file that the export wrote."""

    id: int
    url: str | None
    """None: the file is to go."""
    path: str
    key: bytes | None
    """None: what it links to changed."""
    hash: bytes
    was: bytes | None
    """What the file may still hold if the export was killed before it was written."""
    size: int | None
    mtime: int | None

    @property
    def stand(self) -> Stand | None:
        """How the file stood when it was written; None where it may not have been."""
        return None if self.size is None or self.mtime is None else Stand(self.size, self.mtime)


class Intent(NamedTuple):
    """A file that is about to be written."""

    item: Planned
    new: bytes
    """The hash that it will have."""
    old: bytes | None
    """The hash of what stands there."""
    mentions: set[int]
    """Keys of the addresses that it may link to files for."""


_PLANNED = "plan.page, plan.url, plan.path, plan.address, plan.key, plan.changed_at"
_WRITTEN = ", ".join(f"files.{name}" for name in Written._fields)


class Manifest:
    """The database. Raises ArchiveError where the file is none."""

    def __init__(self, path: Path | None) -> None:
        """`path` is None where nothing is to be kept."""
        self._path = path
        self._db = sqlite3.connect(path or "", isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            # A checkpoint waits for the disk, and so for all the files that were written meanwhile.
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            self._db.executescript(_SCHEMA)
            self._next: int = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM files").fetchone()[0]
        except sqlite3.DatabaseError as error:
            self._db.close()
            if ends_run(error):
                raise
            message = f"{path} is damaged ({error}): remove it; files that are up to date are known again."
            raise ArchiveError(message, 7) from None

    def __enter__(self) -> Self:
        self._db.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._db.in_transaction:  # SQLite has ended it where the disk failed
                self._db.execute("COMMIT")
        finally:
            self._db.close()

    def commit(self) -> None:
        """What was recorded holds from now on."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    def plan(self, planned: Iterable[Planned]) -> None:
        """Takes what was chosen; articles that share a path are told apart by a hash of their addresses."""
        self._db.executemany(
            "INSERT INTO plan (page, url, path, folded, address, key, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((*item[:3], folded(item.path), *item[3:]) for item in planned),
        )
        shared = self._db.execute(
            "SELECT path, url, page FROM plan"
            " WHERE folded IN (SELECT folded FROM plan GROUP BY folded HAVING count(*) > 1)"
        ).fetchall()
        self._db.executemany(
            "UPDATE plan SET path = ? WHERE page = ?",
            [(marked(path, url), page) for path, url, page in shared],
        )
        self._db.execute("CREATE INDEX temp.plan_path ON plan(path)")

    def planned_urls(self) -> Iterator[tuple[int, str]]:
        """Every page that was chosen and every picture, with its address."""
        yield from self._db.execute("SELECT page, url FROM plan")

    def link(self, keys: Iterable[tuple[int, int]]) -> None:
        """Takes the keys of addresses that links may have, each with its page: all of them, or none.

        Files whose links lead somewhere else now are to be made again.
        """
        self._db.executemany(
            "INSERT OR IGNORE INTO linked SELECT ?, path, address FROM plan WHERE page = ?", keys
        )
        self._db.execute(_CHANGED)
        changed = {row[0] for row in self._db.execute("SELECT key FROM changed")}
        if not changed:
            return
        mentions = self._db.execute("SELECT id, mentions FROM files")
        stale = [(row,) for row, keys in mentions if not changed.isdisjoint(array("q", keys))]
        self._db.executemany("UPDATE files SET key = NULL WHERE id = ?", stale)
        self._db.execute("DELETE FROM targets WHERE key IN (SELECT key FROM changed)")
        self._db.execute("INSERT INTO targets SELECT * FROM linked WHERE key IN (SELECT key FROM changed)")

    def targets(self, keys: Iterable[int]) -> dict[int, tuple[str, str]]:
        """The articles of the export that addresses lead to, each as a Target has it, by their keys."""
        rows = self._db.execute(
            "SELECT key, path, address FROM targets WHERE key IN (SELECT value FROM json_each(?))",
            [json.dumps([*keys])],
        )
        return {number: (path, address) for number, path, address in rows}

    def in_order(self) -> Iterator[list[Planned]]:
        """All that was chosen, by path, in handy numbers."""
        rows = self._db.execute(f"SELECT {_PLANNED} FROM plan ORDER BY path")  # noqa: S608
        while some := rows.fetchmany(_BATCH):
            yield [Planned(*row) for row in some]

    def batches(self) -> Iterator[list[tuple[Planned, Written | None]]]:
        """All that was chosen, in handy numbers, each with its file as it was last written."""
        query = (
            f"SELECT {_PLANNED}, {_WRITTEN} FROM plan LEFT JOIN files USING (url)"  # noqa: S608
            " WHERE page > ? ORDER BY page LIMIT ?"
        )
        last, own = -1, len(Planned._fields)
        while rows := self._db.execute(query, [last, _BATCH]).fetchall():
            last = rows[-1][0]
            yield [
                (Planned(*row[:own]), Written(*row[own:]) if row[own] is not None else None) for row in rows
            ]

    def at(self, path: str) -> Written | None:
        """The file of a path, as it was last written."""
        row = self._db.execute(f"SELECT {_WRITTEN} FROM files WHERE path = ?", [path]).fetchone()  # noqa: S608
        return Written(*row) if row else None

    def is_planned(self, path: str) -> bool:
        """Whether an article of the export has its file there."""
        return self._db.execute("SELECT 1 FROM plan WHERE path = ?", [path]).fetchone() is not None

    def intend(self, intents: Sequence[Intent]) -> list[int]:
        """Says what is about to be written, before it is; gives the ids of the files' rows."""
        rows = range(self._next, self._next + len(intents))
        self._next = rows.stop
        self._db.executemany("DELETE FROM files WHERE path = ?", [(item.path,) for item, *_ in intents])
        self._db.executemany(
            "UPDATE files SET url = NULL WHERE url = ?", [(item.url,) for item, *_ in intents]
        )
        self._db.executemany(
            "INSERT INTO files (id, url, path, key, hash, was, mentions) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (row, item.url, item.path, item.key, new, old, array("q", mentions).tobytes())
                for row, (item, new, old, mentions) in zip(rows, intents, strict=True)
            ],
        )
        return list(rows)

    def stand(self, stands: Iterable[tuple[int, Stand]]) -> None:
        """The files of these rows are written."""
        self._db.executemany(
            "UPDATE files SET size = ?, mtime = ? WHERE id = ?", [(*stand, row) for row, stand in stands]
        )

    def give_up_unchosen(self) -> None:
        """The files of articles that were not chosen are to go."""
        self._db.execute("UPDATE files SET url = NULL WHERE url NOT IN (SELECT url FROM plan)")

    def given_up(self) -> list[Written]:
        """The files that are to go."""
        rows = self._db.execute(f"SELECT {_WRITTEN} FROM files WHERE url IS NULL ORDER BY path")  # noqa: S608
        with closing(rows):
            return [Written(*row) for row in rows]

    def forget(self, row: int) -> None:
        """The file is gone, or no longer the export's."""
        self._db.execute("DELETE FROM files WHERE id = ?", [row])
