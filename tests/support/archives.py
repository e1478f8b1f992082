"""What is wrong with an archive, and in which ways two of them differ: a sentence for each finding."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from sqlite_utils.db import Table

from pipelines.archive.connection import open_readonly
from pipelines.archive.schema import MIGRATIONS
from pipelines.verifying.verify import verify

_TIMES = ("first_seen", "last_seen", "not_before")
"""Times whose names do not end in `_at`. Of a time, two archives need only agree on whether there is one."""
_ASIDE = ("id", "found_on")
"""The order of the answers decides these: the id where it is no page's, and the page that named another first."""
_PAGES = {"pages", "articles"}
"""Tables with the id of a page as their key."""
_RUNS = "crawls"
"""A row a run: two archives with the same content need not have the same history, nor the same numbers of runs."""
_OF_RUNS = {_RUNS, "host_runs", "losses", "alarms", "maintenance", "warc_files", "warc_records"}
"""What is told of runs, which two such archives need not share."""
_OF_ANALYSES = {"analyses", "article_graph", "article_texts", "texts", "text_bands"}
"""What is computed from the articles, where it is: tests of the analyses compare it."""
_SEARCH = "articles_fts"
"""The search index is many tables, which a check of its own compares with the articles."""
_MOST = 5


def differences(one: Path, other: Path) -> list[str]:
    """In which ways the archive `one` (a data folder) differs from `other`: table by table and file by file."""
    with (
        closing(open_readonly(one / "archive.db")) as mine,
        closing(open_readonly(other / "archive.db")) as theirs,
    ):
        found = list(_unlike("schema", _schema(mine), _schema(theirs)))
        for name in sorted(_tables(mine) & _tables(theirs)):
            found += _unlike(name, _rows(mine, name), _rows(theirs, name))
    return [*found, *_unlike("file", Counter(files(one).items()), Counter(files(other).items()))]


def make_older(path: Path, now: Path) -> None:
    """Make a catalog as an older version made it: the rows of the catalog `now` in the schema before counts."""
    with closing(Database(path)) as db:
        MIGRATIONS.apply(db, stop_before="m011_counts")
        db.attach("now", now)
        for table in ("crawls", "hosts", "pages", "articles", "also_read", "images"):
            columns = ", ".join(column.name for column in db.table(table).columns)
            db.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM now.{table}")


def damage(data: Path) -> list[str]:
    """What no archive may have at any moment, also while it is written: a sick catalog, a row without its file."""
    path = data / "archive.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        found = [
            f"integrity_check: {row[0]}" for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"
        ]
        found += [f"foreign_key_check: {row}" for row in db.execute("PRAGMA foreign_key_check")]
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [_SEARCH]).fetchone():
            found += _search_damage(db)
            paths = [row[0] for row in db.execute("SELECT path FROM articles ORDER BY path")]
            found += [
                f"a row without its file: {name}"
                for name in paths
                if not (data / "articles" / name).is_file()
            ]
    return found


def disorder(data: Path) -> list[str]:
    """What no archive may have once its crawl has ended: what verify finds, and crawls that don't account for it."""
    found = [f"{finding.where}: {finding.what}" for finding in verify(data)]
    with closing(open_readonly(data / "archive.db")) as db:
        found += [
            f"a crawl that has not ended: {row}"
            for row in db.query("SELECT * FROM crawls WHERE ended_at IS NULL")
        ]
        new, count = db.execute("SELECT sum(new), (SELECT count(*) FROM articles) FROM crawls").fetchone()
        if new != count:
            found.append(f"{count} articles, of which the crawls brought {new}")
    return found


def files(data: Path) -> dict[str, bytes]:
    """Every file below `articles/`, those half written too, by its path there."""
    root = data / "articles"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _search_damage(db: sqlite3.Connection) -> Iterator[str]:
    with closing(sqlite3.connect(":memory:")) as copy:  # the check is a command that only a writer may give
        db.backup(copy)
        try:
            copy.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            yield f"the search index does not match the articles: {error}"


def _schema(db: Database) -> Counter[Any]:
    return Counter(db.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))


def _tables(db: Database) -> set[str]:
    return {
        name
        for name in db.table_names()
        if name not in _OF_RUNS | _OF_ANALYSES and not name.startswith((_SEARCH, "sqlite_"))
    }


def _rows(db: Database, name: str) -> Counter[Any]:
    """The rows of a table in a form that does not depend on when, in which order or in how many runs they came."""
    table = db.table(name)
    keys = {key.column: key.other_table for key in table.foreign_keys}
    return Counter(db.execute(f"SELECT {', '.join(_columns(table, keys))} FROM {name}"))


def _columns(table: Table, keys: Mapping[str | None, str]) -> Iterator[str]:
    for name in (column.name for column in table.columns):
        if keys.get(name) in (_RUNS, "warc_records") or name.endswith("_at") or name in _TIMES:
            yield f"{name} IS NULL"
        elif name != "found_on" and keys.get(name) in _PAGES:
            yield f"(SELECT url FROM pages WHERE pages.id = {table.name}.{name})"
        elif name not in _ASIDE:
            yield name


def _unlike(kind: str, mine: Counter[Any], theirs: Counter[Any]) -> Iterator[str]:
    for side, rows in (("only in the first", mine - theirs), ("only in the second", theirs - mine)):
        for row in sorted(rows, key=repr)[:_MOST]:
            yield f"{kind}, {side}: {str(row)[:300]}"
        if len(rows) > _MOST:
            yield f"{kind}, {side}: {len(rows) - _MOST} more"
