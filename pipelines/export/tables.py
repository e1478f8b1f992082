"""Write articles as a table with one article per row: JSON Lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.util import find_spec
from io import TextIOWrapper
from itertools import islice
from typing import IO, Any, Literal

from crawler.errors import UsageError
from crawler.items import iso

Kind = Literal["jsonl", "csv", "parquet"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of a cell that a spreadsheet takes for a formula."""
_GROUP_ROWS = 500
"""Rows of a Parquet row group: it is held in memory."""

Row = dict[str, Any]
"""The columns of an article; times are datetimes, lists and dicts stay as they are."""


def check_installed(kind: Kind) -> None:
    """Raise UsageError if the library for a kind of table is missing."""
    if kind == "parquet" and find_spec("pyarrow") is None:
        raise UsageError("Parquet needs pyarrow, which is not installed: install alsoread[parquet].")


def write(out: IO[bytes], kind: Kind, columns: list[str], rows: Iterable[Row]) -> None:
    """Write the rows in their order."""
    if kind == "jsonl":
        out.writelines(f"{json.dumps(row, ensure_ascii=False, default=iso)}\n".encode() for row in rows)
    elif kind == "csv":
        _csv(out, columns, rows)
    else:
        _parquet(out, columns, rows)


def _csv(out: IO[bytes], columns: list[str], rows: Iterable[Row]) -> None:
    text = TextIOWrapper(out, encoding="utf-8", newline="")
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows([_cell(row[name]) for name in columns] for row in rows)
    text.detach()


def _cell(value: Any) -> Any:
    """Return the value as a cell that a spreadsheet does not evaluate."""
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _parquet(out: IO[bytes], columns: list[str], rows: Iterable[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts, text = pa.list_(pa.string()), pa.string()
    types = {
        "tags": texts,
        "categories": texts,
        "images": pa.list_(pa.struct({"url": text, "alt": text, "title": text})),
        "also_read": pa.list_(pa.struct({"url": text, "text": text})),
        "words": pa.int64(),
        **dict.fromkeys(("date", "updated", "archived_at", "changed_at"), pa.timestamp("ms", tz="UTC")),
    }
    schema = pa.schema([(name, types.get(name, text)) for name in columns])
    with pq.ParquetWriter(out, schema) as table:
        for group in _groups(rows):
            values = [{**row, "extra": _cell(row["extra"])} for row in group]  # its keys are not known
            table.write_table(pa.Table.from_pylist(values, schema=schema))


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while group := list(islice(iterator, _GROUP_ROWS)):
        yield group
