"""Make an Article of front matter and text: keys of the vocabulary become fields, all others are kept as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from math import isfinite
from pathlib import PurePosixPath
from typing import Any, cast, get_args

from crawler.clock import parse_time
from crawler.items import Article, AuthorSource, Image, Link, iso
from crawler.urls import canonical, in_scope
from pipelines.archive.article_file import VOCABULARY
from pipelines.importing.front_matter import InvalidFile

_ADDRESS_KEYS = ("url", "source_url", "canonical_url", "permalink")
"""Keys that may hold an article's address; the first that does counts."""

_TEXT_KEYS = ("title", "author", "description", "thumbnail", "lang", "license")
_UPDATED_KEYS = ("lastmod", "last_modified_at")
"""What Hugo and Jekyll call `updated`."""
_PLACEMENT_KEYS = (
    "source_url",
    "canonical_url",
    "permalink",
    "url",
    "aliases",
    "redirect_from",
    "disableNunjucks",
)
"""Keys that an export adds so that a site shows an article at an address of its own."""
_MAX_VALUES = 100_000
"""Values of one file's front matter; what an alias stands for counts each time."""


def article_of(
    values: Mapping[str, Any], body: str, name: str, *, host: str | None, scope: tuple[str, ...]
) -> Article:
    """Return a file's article. Its `extractor` is `file`, or `source` where its address comes from `host`.

    `name`: the file's, which is the last part of the address where no key has one. Raises InvalidFile.
    """
    values = _with_params(values)
    key, url = _address(values, host, name)
    if not in_scope(url, scope):
        raise InvalidFile(f"{url} is out of scope ({', '.join(scope)} and its subdomains)")
    updated = next((key for key in ("updated", *_UPDATED_KEYS) if key in values), "updated")
    known = {*VOCABULARY, key, updated, *(_PLACEMENT_KEYS if key == "source_url" else ())}
    texts = {key: _text(key, values.get(key)) for key in _TEXT_KEYS}
    return Article(
        url=url,
        author_source=_author_source(values.get("author_source")),
        date=_time("date", values.get("date")),
        updated=_time(updated, values.get(updated)),
        tags=_text_list("tags", values.get("tags")),
        categories=_text_list("categories", values.get("categories")),
        keywords=",".join(_text_list("keywords", values.get("keywords"))) or None,
        images=[
            Image(url, _text("alt", entry.get("alt")) or None, _text("title", entry.get("title")) or None)
            for url, entry in _entries("images", values.get("images"))
        ],
        also_read=[
            Link(url, _text("text", entry.get("text")) or url)
            for url, entry in _entries("also_read", values.get("also_read"))
        ],
        body=body,
        extractor="file" if _is_address(values.get(key)) else "source",
        extra=_extra({key: value for key, value in _with_extra(values, key).items() if key not in known}),
        **texts,
    )


def _with_extra(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Lift the keys below `extra`, where an export for a site has those that came with a file."""
    extra = values.get("extra")
    if key == "source_url" and isinstance(extra, dict):
        return {name: value for name, value in values.items() if name != "extra"} | extra
    return values


def _with_params(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Lift the keys below `params`, where Hugo has those that it does not know."""
    params = values.get("params")
    if isinstance(params, dict) and "source_url" in params:
        return params | {key: value for key, value in values.items() if key != "params"}
    return values


def _address(values: Mapping[str, Any], host: str | None, name: str) -> tuple[str, str]:
    """Return the key that has an article's address, and the address."""
    values_by_key = {
        key: value for key in _ADDRESS_KEYS if isinstance(value := values.get(key), str) and value
    }
    for key, value in values_by_key.items():
        if _is_address(value):
            return key, _canonical(value)
    if host is None:
        raise InvalidFile(f"no address ({', '.join(_ADDRESS_KEYS)}): name its blog with --host")
    file = PurePosixPath(name)
    slug = file.parent.name if file.stem == "index" else file.stem
    key, path = next(iter(values_by_key.items()), ("permalink", slug))
    return key, _canonical(f"https://{host}/{path.lstrip('/')}")


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.lower().startswith(("http://", "https://"))


def _canonical(url: str) -> str:
    try:
        return canonical(url)
    except ValueError as error:
        raise InvalidFile(str(error)) from None


def _text(key: str, value: Any) -> str | None:
    """Return a value as a string: YAML reads some as numbers or times."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, int | float | date):
        return str(value)
    raise InvalidFile(f"{key} is not a text")


def _author_source(value: Any) -> AuthorSource | None:
    if value is None or value in get_args(AuthorSource):
        return cast(AuthorSource | None, value)
    raise InvalidFile(
        f"author_source is not valid: {str(value)[:50]} (use {', '.join(get_args(AuthorSource))})"
    )


def _text_list(key: str, value: Any) -> list[str]:
    """Return a list of strings; a single one is a list of itself, and lists in the list are flattened."""
    if isinstance(value, list):
        if len(value) > _MAX_VALUES:
            raise InvalidFile(f"{key} has more than {_MAX_VALUES} entries")
        texts = [text for entry in value for text in (entry if isinstance(entry, list) else [entry])]
        return [text for entry in texts if (text := _text(key, entry))]
    text = _text(key, value)
    return [text] if text else []


def _time(key: str, value: Any) -> datetime | None:
    """Convert a value to a time in UTC, which is also the zone of one without a zone; a day is its first moment."""
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, date) else value  # a datetime is a date, too
    moment = parse_time(text.strip()) if isinstance(text, str) else None
    if moment is None:
        raise InvalidFile(f"{key} is not a time: {str(value)[:50]}")
    return moment


def _entries(key: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the entries of a list with the `url` of each; a string is an entry with nothing else."""
    for entry in value if isinstance(value, list) else [] if value is None else [value]:
        url, others = (entry.get("url"), entry) if isinstance(entry, dict) else (entry, {})
        if not isinstance(url, str):
            raise InvalidFile(f"{key} has an entry without a url")
        yield url, others


def _extra(values: dict[Any, Any]) -> dict[str, Any]:
    """Convert values to those that JSON has. Raises InvalidFile where there are too many."""
    remaining = _MAX_VALUES

    def convert(value: Any) -> Any:
        nonlocal remaining
        remaining -= 1
        if remaining < 0:
            raise InvalidFile(f"front matter of more than {_MAX_VALUES} values")
        if isinstance(value, dict):
            return {str(key): convert(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set):
            return [convert(inner) for inner in value]
        if isinstance(value, datetime):
            return iso(value) if value.tzinfo else value.isoformat()
        if (
            value is None
            or isinstance(value, bool | int | str)
            or (isinstance(value, float) and isfinite(value))
        ):
            return value
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)

    try:
        return {str(key): convert(value) for key, value in values.items()}
    except RecursionError:
        raise InvalidFile("front matter that contains itself") from None
