"""Send items between machines as plain tuples, of which every value is checked on arrival. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from crawler.items import Article, Exchange, FoundPages, Image, Link, Quarantine, ResponseRecord, Visit
from pipelines.archive.records import KeptRecord, KeptRecords, Row
from pipelines.archive.store import Item
from pipelines.archive.warc import Location

_ITEMS: dict[str, Any] = {kind.__name__: kind for kind in (Visit, FoundPages, Exchange, KeptRecords)}
_PARTS = (Article, Quarantine, Image, Link, ResponseRecord, KeptRecord, Row, Location)
_NAMES: dict[type, tuple[str, ...]] = {
    **{kind: tuple(field.name for field in fields(kind)) for kind in (Visit, FoundPages, Exchange, Article)},
    **{kind: kind._fields for kind in (Quarantine, Image, Link, ResponseRecord)},
    **{kind: kind._fields for kind in (KeptRecords, KeptRecord, Row, Location)},
}
"""The names of the fields of each class."""

Packed = tuple[str, tuple[Any, ...]]
"""The name of an item's class, and its values in the order of its fields."""
PackedRow = tuple[Any, ...]
"""The values of a record's row."""


class InvalidItem(ValueError):
    """A value that no item has; the message names its class."""


def pack(item: Item) -> Packed:
    """Return an item as plain tuples, lists and values."""
    return type(item).__name__, _values(item)


def unpack(packed: Packed) -> Item:
    """Return the item of plain tuples. Raises InvalidItem, also for a record that is in none of our own files."""
    try:
        name, values = packed
        item: Item = _reader(_ITEMS[name])(values)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidItem(f"not a valid item: {error}") from error
    for record in item.records if isinstance(item, KeptRecords) else ():
        if not record.location.is_own:
            raise InvalidItem(f"not a place of a record: {record.location}")
    return item


def pack_rows(rows: Sequence[Row]) -> list[PackedRow]:
    """Return rows of records as plain tuples."""
    return [_values(row) for row in rows]


def unpack_rows(packed: Sequence[PackedRow]) -> list[Row]:
    """Return the rows of plain tuples. Raises InvalidItem."""
    try:
        rows: list[Row] = _reader(list[Row])(packed)
    except (TypeError, ValueError) as error:
        raise InvalidItem(f"not valid rows: {error}") from error
    return rows


def _values(item: Any) -> tuple[Any, ...]:
    return tuple(_plain(getattr(item, name)) for name in _NAMES[type(item)])


def _plain(value: Any) -> Any:
    if isinstance(value, (*_ITEMS.values(), *_PARTS)):
        return _values(value)
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return a function that checks a value against a type, and makes it of plain tuples. It raises ValueError."""
    origin, args = get_origin(hint), get_args(hint)
    if hint in (*_ITEMS.values(), *_PARTS):
        return _object_reader(hint)
    if origin in (Union, UnionType):
        return _optional_reader(*(arg for arg in args if arg is not NoneType))
    if origin is Literal:
        return _checked(lambda value: value in args, hint)
    if origin is tuple:
        return _tuple_reader([_reader(arg) for arg in args])
    if origin in (list, Sequence):
        return _list_reader(_reader(args[0]))
    kinds = (int, float) if hint is float else origin or hint
    return _checked(lambda value: isinstance(value, kinds), hint)


def _object_reader(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    names = _NAMES[kind]
    readers = [_reader(hints[name]) for name in names]

    def read(values: Any) -> Any:
        checked = zip(names, readers, values, strict=True)
        return kind(**{name: reader(value) for name, reader, value in checked})

    return read


def _optional_reader(hint: Any) -> Callable[[Any], Any]:
    reader = _reader(hint)
    return lambda value: None if value is None else reader(value)


def _tuple_reader(readers: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    return lambda values: tuple(read(value) for read, value in zip(readers, values, strict=True))


def _list_reader(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(values: Any) -> list[Any]:
        if not isinstance(values, list):
            raise InvalidItem(f"{type(values).__name__} instead of a list")
        return [reader(value) for value in values]

    return read


def _checked(is_valid: Callable[[Any], bool], hint: Any) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not is_valid(value):
            raise InvalidItem(f"{type(value).__name__} instead of {hint}")
        return value

    return read
