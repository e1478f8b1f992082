"""Check another archive's catalog before anything of it is merged: it may come from anywhere.

Its tables have to be tables, as a view or a virtual table would run SQL of its own; its values have to be valid, as
what reads them later relies on that.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from sqlite_utils import Database

from crawler.errors import CatalogError
from crawler.urls import canonical, host_of
from pipelines.archive.article_file import path_of
from pipelines.archive.connection import open_current
from pipelines.archive.files import hash_of
from pipelines.archive.schema import MIGRATIONS

_MAX_VALUE_BYTES = 64 * 2**20
"""Bytes of a value: a page has 10 MB at most."""
_MAX_SECONDS = 600
_INSTRUCTIONS_BETWEEN_CHECKS = 1_000_000
_MAX_INTEGER = 2**53
"""The largest number that every reader of JSON takes."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_MIGRATIONS_TABLE = "_sqlite_migrations"

_IsValid = Callable[[Any], bool]


class _Column(NamedTuple):
    name: str
    is_needed: bool
    is_valid: _IsValid
    kind: str
    """What a value has to be, for people."""


def check(other: Path) -> None:
    """Raise CatalogError unless a catalog is one of this version, with valid values only.

    The error names the table, the row by its key, and the column.
    """
    if not other.is_file():
        open_current(other)  # which says so
    try:
        with closing(_open(other)) as db, time_limit(db, _MAX_SECONDS):
            kinds = {
                _text(name): _text(kind)
                for name, kind in db.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")
            }
            _refuse_unless(
                kinds.get(_MIGRATIONS_TABLE, "table") == "table",
                other,
                f"its {_MIGRATIONS_TABLE} is not the table that alsoread makes",
            )
            open_current(other).close()
            with closing(Database(memory=True)) as ours:
                MIGRATIONS.apply(ours)
                for table in ours.table_names():
                    if not table.startswith((_MIGRATIONS_TABLE, "articles_fts", "sqlite_")):
                        _check_table(db, ours.conn, table, kinds.get(table), other)
            _check_references(db, other)
    except sqlite3.Error as error:
        raise _refused(other, str(error)) from None


@contextmanager
def time_limit(db: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt the statements of a connection that are still at work after some seconds."""
    end = monotonic() + seconds
    db.set_progress_handler(lambda: monotonic() > end, _INSTRUCTIONS_BETWEEN_CHECKS)
    try:
        yield
    finally:
        db.set_progress_handler(None, 0)


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    db.text_factory = bytes  # so that what is not UTF-8 is reported by its row
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("BEGIN")
    return db


def _check_table(
    db: sqlite3.Connection, ours: sqlite3.Connection, table: str, kind: str | None, other: Path
) -> None:
    expected = _layout(ours, table)
    is_same_table = kind == "table" and _layout(db, table) == expected
    _refuse_unless(is_same_table, other, f"its {table} is not the table that alsoread makes")
    columns = [_column(table, name, type_, bool(needed)) for name, (type_, needed, _, _) in expected.items()]
    keys = [at for at, (_, _, key, _) in enumerate(expected.values()) if key]
    names = ", ".join(column.name for column in columns)
    for row in db.execute(f"SELECT {names} FROM {table}"):
        for column, value in zip(columns, row, strict=True):
            if not _is_valid(column, value):
                where = f"{table}.{column.name} of row {_named([row[at] for at in keys])}"
                raise _refused(other, f"{where} is not {column.kind}")
        if wrong := _inconsistency(table, dict(zip([column.name for column in columns], row, strict=True))):
            raise _refused(
                other, f"{table}.{wrong} of row {_named([row[at] for at in keys])} is inconsistent"
            )


def _layout(db: sqlite3.Connection, table: str) -> dict[str, tuple[str, int, int, int]]:
    """Return the type of each column, by name, and whether it is needed, of the key, computed."""
    described = db.execute(f"PRAGMA table_xinfo('{table}')")
    return {
        _text(name): (_text(type_), needed, key, hidden)
        for _, name, type_, needed, _, key, hidden in sorted(described, key=lambda column: _text(column[1]))
    }


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def _column(table: str, name: str, type_: str, is_needed: bool) -> _Column:
    if f"{table}.{name}" in _JSON:
        kind, is_valid = _JSON[f"{table}.{name}"]
    elif name in _KINDS:
        kind, is_valid = _KINDS[name]
    elif name.endswith("_at"):
        kind, is_valid = "a time", _is_time
    else:
        kind, is_valid = _TYPES[type_]
    return _Column(name, is_needed, is_valid, kind)


def _is_valid(column: _Column, value: Any) -> bool:
    if value is None:
        return not column.is_needed
    try:
        return column.is_valid(value.decode() if isinstance(value, bytes) else value)
    except (ValueError, RecursionError):  # not UTF-8, no JSON, no address
        return False


def _is_time(value: Any) -> bool:
    return bool(_TIME.fullmatch(value) and datetime.fromisoformat(value))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= _MAX_INTEGER


def _is_list_of_texts(value: Any) -> bool:
    entries = json.loads(value)
    return isinstance(entries, list) and all(isinstance(entry, str) for entry in entries)


def _is_object(value: Any) -> bool:
    return isinstance(json.loads(value), dict)


def _is_list_of_images(value: Any) -> bool:
    entries = json.loads(value)
    return isinstance(entries, list) and all(
        isinstance(image, dict)
        and isinstance(image.get("url"), str)
        and all(text is None or isinstance(text, str) for text in image.values())
        for image in entries
    )


_TEXTS, _OBJECT = ("a JSON list of texts", _is_list_of_texts), ("a JSON object", _is_object)
_JSON: dict[str, tuple[str, _IsValid]] = {
    "articles.tags": _TEXTS,
    "articles.categories": _TEXTS,
    "articles.extra": _OBJECT,
    "revisions.images": ("a JSON list of images", _is_list_of_images),
    "crawls.seeds": _TEXTS,
    "crawls.options": _OBJECT,
    "alarms.pages": _TEXTS,
}
_KINDS: dict[str, tuple[str, _IsValid]] = {
    **dict.fromkeys(
        ("date", "updated", "first_seen", "last_seen", "not_before", "lastmod"), ("a time", _is_time)
    ),
    "status": ("an HTTP status", lambda value: isinstance(value, int) and 100 <= value <= 599),
}
_TYPES: dict[str, tuple[str, _IsValid]] = {
    "TEXT": ("UTF-8 text", lambda value: isinstance(value, str)),
    "INTEGER": ("a number from 0 to 2^53", _is_count),
    "REAL": ("a number from 0 to 2^53", lambda value: 0 <= value <= _MAX_INTEGER),
}


def _inconsistency(table: str, row: dict[str, Any]) -> str | None:
    """Return the column that contradicts another of the row, whose texts are known to be UTF-8."""
    if table not in ("pages", "articles"):
        return None
    url = row["url"].decode()
    try:
        if canonical(url) != url:
            return "url"
    except ValueError:
        return "url"
    if table == "pages":
        return None if row["host"].decode() == host_of(url) else "host"
    if row["path"].decode() != str(path_of(url)):
        return "path"
    return None if row["body_hash"].decode() == hash_of(row["body"]) else "body_hash"


def _check_references(db: sqlite3.Connection, other: Path) -> None:
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
        what = f"{_text(table)} row {row or ''}".strip()
        raise _refused(other, f"{what} leads to a row of {_text(parent)} that is not there")


def _named(key: list[Any]) -> str:
    return ", ".join(part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in key)


def _refuse_unless(is_valid: bool, other: Path, reason: str) -> None:
    if not is_valid:
        raise _refused(other, reason)


def _refused(other: Path, what: str) -> CatalogError:
    return CatalogError(
        f"{other} can't be merged: {what}. Nothing was merged: `alsoread verify --data {other.parent}` says "
        "what is wrong with it.",
    )
