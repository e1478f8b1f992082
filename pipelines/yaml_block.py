"""Front matter as YAML: the bytes that PyYAML gives, at a fraction of its time for what front matter mostly is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import yaml

from crawler.items import iso

_ONE_LINE = 2**31 - 1
"""Characters to a line: no value is folded."""

_LONGEST_KEY = 100
"""Characters; YAML marks a key of more than 128 bytes."""

# Characters that need no escape in YAML, all on one line. The C emitter escapes what is beyond U+FFFF.
_CHARS = "\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
# What begins with a letter is a text but for these words.
_NO_TEXT = "(?i:y|n|yes|no|on|off|true|false|null)"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_PLAIN = re.compile(rf"(?!{_NO_TEXT}\Z|.*: |.* #)[A-Za-z/][{_CHARS}]*(?<![ :])")
_QUOTED = re.compile(rf"(?=.*: |.* #|[\[\]{{}}\"'&*!|>%@`,#]|{_TIME.pattern}\Z)[{_CHARS}]+")

_BREAK = re.compile("[\n\r\x85\u2028\u2029]")  # what breaks a line in YAML is indented with what it stands in


class _Dumper(yaml.CSafeDumper):
    """Times as YAML timestamps with `T` and `Z`, which every reader takes for a time."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


_Dumper.add_representer(
    datetime, lambda dumper, moment: dumper.represent_scalar("tag:yaml.org,2002:timestamp", iso(moment))
)


# Numbers in YAML 1.2, though not in the 1.1 that PyYAML reads: a text that looks so is quoted for both.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+$|0o[0-7]+$"),
    list("-+.0123456789"),
)


class _Hard(Exception):
    """PyYAML has to write it."""


def yaml_block(values: Mapping[str, Any]) -> str:
    """The mapping as YAML in block style, keys in their order, one line a text, without the last line end."""
    return "\n".join(_entry(key, value) for key, value in values.items())


def _entry(key: str, value: Any) -> str:
    try:
        if not _is_word(key):
            raise _Hard
        if isinstance(value, list) and value:
            return "\n".join([f"{key}:", *(f"- {_item(item)}" for item in value)])
        return f"{key}: {iso(value) if isinstance(value, datetime) else _text(value)}"
    except _Hard:
        return _dump({key: value})


def _item(item: Any) -> str:
    """An entry of a list: a line of text, or a mapping of words to such lines."""
    if not isinstance(item, dict):
        return _text(item)
    if not item or not all(map(_is_word, item)):
        raise _Hard
    return "\n  ".join([f"{name}: {_text(text)}" for name, text in item.items()])


@lru_cache(256)
def _is_word(key: Any) -> bool:
    return isinstance(key, str) and len(key) < _LONGEST_KEY and _PLAIN.fullmatch(key) is not None


def _text(text: Any) -> str:
    """A text on one line."""
    if not isinstance(text, str):
        raise _Hard
    if _PLAIN.fullmatch(text):
        return text
    if _QUOTED.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    if _BREAK.search(text):
        raise _Hard
    return _dump([text]).removeprefix("- ")


def _dump(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ONE_LINE)
    return text.removesuffix("\n")


# No YAML number holds a space, and a time with a space holds a colon.
_TEXT = re.compile(rf"(?!{_NO_TEXT}\Z|.*: |.* #)(?:(?=[^\W\d_])|(?=\d[^:]* [^:]*\Z))[{_CHARS}]+(?<![ :])")
_SCALAR = re.compile(rf"(?!.*: |.* #)\w[{_CHARS}]*(?<![ :])|\"[{_CHARS}]*\"")
_IN_QUOTES = re.compile(rf"'((?:(?!')[{_CHARS}]|'')*)'")


def yaml_values(block: str) -> dict[str, Any] | None:
    """What PyYAML reads in a block that `yaml_block` wrote, at a fraction of its time; None for most other YAML."""
    values: dict[str, Any] = {}
    entries: list[Any] | None = None
    try:
        for line in block.removesuffix("\n").split("\n"):
            if line.startswith("- "):
                name, colon, text = line[2:].partition(": ")
                if colon and _is_word(name):
                    entries.append({name: _read(text)})  # type: ignore[union-attr]
                else:
                    entries.append(_read(line[2:]))  # type: ignore[union-attr]
            elif line.startswith("  "):
                name, _, text = line[2:].partition(": ")
                entries[-1][_key(name)] = _read(text)  # type: ignore[index]
            elif entries == []:
                return None
            elif line.endswith(":"):
                entries = values[_key(line[:-1])] = []
            else:
                name, _, text = line.partition(": ")
                entries = None
                values[_key(name)] = _read(text)
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, yaml.YAMLError):
        return None
    return None if entries == [] else values


def _key(name: str) -> str:
    if not _is_word(name):
        raise ValueError(name)
    return name


def _read(text: str) -> Any:
    """A scalar on one line. Raises ValueError where it may be anything else."""
    if _TEXT.fullmatch(text):
        return text
    if quoted := _IN_QUOTES.fullmatch(text):
        return quoted[1].replace("''", "'")
    if _TIME.fullmatch(text):
        return datetime.fromisoformat(text)
    if not _SCALAR.fullmatch(text):
        raise ValueError(text)
    value = yaml.load(text, yaml.CSafeLoader)
    if isinstance(value, dict | list):
        raise ValueError(text)
    return value
