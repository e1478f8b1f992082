"""Check another archive's catalog before anything of it is read: it may come from anywhere."""

from __future__ import annotations

from sqlite_utils import Database

from pipelines.errors import ArchiveError

_JSON = (
    *(("articles", "tags", "array"), ("articles", "categories", "array"), ("articles", "extra", "object")),
    *(("revisions", "images", "array"), ("crawls", "seeds", "array"), ("crawls", "options", "object")),
    ("alarms", "pages", "array"),
)
"""The columns that hold JSON, and what each has to be."""
_PLAIN_TABLES = "SELECT name FROM {0}.sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"


def check(db: Database, other: str) -> None:
    """Raise ArchiveError where the catalog that is attached as `other` is not made as ours is.

    Its tables have to be tables: a view or a virtual table of that name would run whatever it says. `other` is its
    name for people.
    """
    db.execute("PRAGMA other.cell_size_check = ON")
    ours, theirs = (
        {name for (name,) in db.execute(_PLAIN_TABLES.format(schema))} for schema in ("main", "other")
    )
    for table in sorted(name for name in ours if "_fts" not in name):
        if table not in theirs or _columns(db, "other", table) != _columns(db, "main", table):
            raise _refused(other, f"its {table} is not the table that alsoread makes")
    for table, column, kind in _JSON:
        query = f"""SELECT rowid FROM other.{table}
                    WHERE CASE WHEN json_valid({column}) THEN json_type({column}) <> ? ELSE 1 END LIMIT 1"""  # noqa: S608
        if row := db.execute(query, [kind]).fetchone():
            raise _refused(other, f"{table}.{column} of row {row[0]} is not a JSON {kind}")


def _columns(db: Database, schema: str, table: str) -> list[tuple[str, int]]:
    """The columns of a table, and which are computed; in the order of their names, as migrations append some."""
    return sorted(
        (name, hidden) for _, name, *_, hidden in db.execute(f"PRAGMA {schema}.table_xinfo('{table}')")
    )


def _refused(other: str, what: str) -> ArchiveError:
    return ArchiveError(
        f"{other} can't be merged: {what}. Nothing was merged: `alsoread verify` it first.", 7
    )
