"""Write front matter as YAML: the bytes that PyYAML writes, at a fraction of its time for most values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from crawler.items import iso

_MAX_KEY_BYTES = 100
"""PyYAML marks a key of more than 128 with a `?`."""

# Characters that need no escape in YAML, all on one line. The C emitter escapes what is beyond U+FFFF.
_CHARS = "\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
# What begins with a letter is a string but for these words.
_RESERVED = "(?i:y|n|yes|no|on|off|true|false|null)"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
# What begins with a digit is neither a number nor a time if it has a letter that these lack, and no colon.
_BEGINNING = r"[A-Za-z/(]|[^\x00-\x7f]|[0-9][^:]*[g-np-suvwyG-NP-SUVWY\x80-\uffff]"
_PLAIN = re.compile(rf"(?!{_RESERVED}\Z|.*: |.* #)(?={_BEGINNING})[{_CHARS}]+(?<![ :])")
_QUOTED = re.compile(rf"(?=.*: |.* #|[\[\]{{}}\"'&*!|>%@`,#]|{_TIME}\Z)[{_CHARS}]+")
# PyYAML indents a string with a line break by the level that it stands at.
_LINE_BREAK = re.compile("[\n\r\x85\u2028\u2029]")


class _NeedsPyYAML(Exception):
    """A value that only PyYAML writes."""


def yaml_block(values: Mapping[str, Any]) -> str:
    """Return the mapping as a YAML block: keys in their order, one line a string, no line end behind the last."""
    return "\n".join(_entry(key, value) for key, value in values.items())


def _entry(key: str, value: Any) -> str:
    try:
        if not _is_plain_key(key):
            raise _NeedsPyYAML
        if isinstance(value, list) and value:
            return "\n".join([f"{key}:", *(f"- {_item(item)}" for item in value)])
        return f"{key}: {iso(value) if isinstance(value, datetime) else _scalar(value)}"
    except _NeedsPyYAML:
        return _dump({key: value})


def _item(item: Any) -> str:
    """Write an entry of a list: a string, or a mapping of plain keys to strings."""
    if not isinstance(item, dict):
        return _scalar(item)
    if not item or not all(map(_is_plain_key, item)):
        raise _NeedsPyYAML
    return "\n  ".join([f"{name}: {_scalar(text)}" for name, text in item.items()])


@lru_cache(256)
def _is_plain_key(key: Any) -> bool:
    return isinstance(key, str) and bool(_PLAIN.fullmatch(key)) and len(key.encode()) < _MAX_KEY_BYTES


def _scalar(text: Any) -> str:
    """Write a string on one line. Raises _NeedsPyYAML for any other value."""
    if not isinstance(text, str):
        raise _NeedsPyYAML
    if _PLAIN.fullmatch(text):
        return text
    if _QUOTED.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    if _LINE_BREAK.search(text):
        raise _NeedsPyYAML
    return _dump([text]).removeprefix("- ")


def _dump(value: Any) -> str:
    from pipelines.archive.yaml_dumper import (
        dump,  # takes a while to load, and commands that only read need none
    )

    return dump(value)
