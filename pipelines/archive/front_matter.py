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
"""Bytes; YAML marks a key of more than 128."""

# Characters that need no escape in YAML, all on one line. The C emitter escapes what is beyond U+FFFF.
_CHARS = "\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
# What begins with a letter is a text but for these words.
_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
_LONGEST_WORD = max(map(len, _WORDS))
_NO_TEXT = f"(?i:{'|'.join(_WORDS)})"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# What begins with a digit is no number or time where it has other letters than these have, and no colon.
_BEGINNING = r"[A-Za-z/(]|[^\x00-\x7f]|[0-9][^:]*[g-np-suvwyG-NP-SUVWY\x80-\uffff]"
_PLAIN = re.compile(rf"(?!{_NO_TEXT}\Z|.*: |.* #)(?={_BEGINNING})[{_CHARS}]+(?<![ :])")
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
    return isinstance(key, str) and bool(_PLAIN.fullmatch(key)) and len(key.encode()) < _LONGEST_KEY


def _text(text: Any) -> str:
    """A text on one line."""
    if not isinstance(text, str):
        raise _Hard
    if _PLAIN.fullmatch(text):
        return text
    if _QUOTED.fullmatch(text):
        return _in_quotes(text)
    if _BREAK.search(text):
        raise _Hard
    return _dump([text]).removeprefix("- ")


def _in_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def text_of(line: str) -> str:
    """The text that is written as this one line. Raises ValueError where there may be none."""
    if _PLAIN.fullmatch(line):
        return line
    text = line[1:-1].replace("''", "'")
    if not _PLAIN.fullmatch(text) and _QUOTED.fullmatch(text) and line == _in_quotes(text):
        return text
    raise ValueError(line)


def time_of(line: str) -> datetime:
    """The time that is written as this one line. Raises ValueError where there is none."""
    if _TIME.fullmatch(line):
        return datetime.fromisoformat(line)
    raise ValueError(line)


def _dump(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ONE_LINE)
    return text.removesuffix("\n")


# No YAML number holds a space, and a time with a space holds a colon.
_TEXT = re.compile(rf"(?!{_NO_TEXT}\Z|.*: |.* #)(?:(?=[^\W\d_])|(?=\d[^:]* [^:]*\Z))[{_CHARS}]+(?<![ :])")
_SCALAR = re.compile(rf"(?!.*: |.* #)\w[{_CHARS}]*(?<![ :])|\"[{_CHARS}]*\"")
_IN_QUOTES = re.compile(rf"'((?:(?!')[{_CHARS}]|'')*)'")
# How all begins that is not what it seems in YAML, or that needs a closer look.
_OTHERS = frozenset(("", *" -?:,[]{}#&*!|>'\"%@`+.0123456789~=<_"))


def yaml_values(block: str) -> dict[str, Any] | None:
    """What PyYAML reads in a block that `yaml_block` wrote, at a fraction of its time; None for most other YAML."""
    lines = block.removesuffix("\n").split("\n")
    # All in one look: where each character shows, none has to be looked for in each line.
    read = _read_shown if "".join(lines).isprintable() else _read
    values: dict[str, Any] = {}
    entries: list[Any] | None = None
    try:
        for line in lines:
            if line.startswith("- "):
                name, colon, text = line[2:].partition(": ")
                if colon and _is_word(name):
                    entries.append({name: read(text)})  # type: ignore[union-attr]
                else:
                    entries.append(read(line[2:]))  # type: ignore[union-attr]
            elif line.startswith("  "):
                name, _, text = line[2:].partition(": ")
                entries[-1][_key(name)] = read(text)  # type: ignore[index]
            elif entries == []:
                return None
            elif line.endswith(":"):
                entries = values[_key(line[:-1])] = []
            else:
                name, _, text = line.partition(": ")
                entries = None
                values[_key(name)] = read(text)
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, yaml.YAMLError):
        return None
    return None if entries == [] else values


def _key(name: str) -> str:
    if not _is_word(name):
        raise ValueError(name)
    return name


def _is_simple(text: str) -> bool:
    """Whether a text that begins as one is a text and no more."""
    return not (
        ": " in text
        or " #" in text
        or text.endswith((" ", ":"))
        or (len(text) <= _LONGEST_WORD and text.lower() in _WORDS)
    )


def _read_shown(text: str) -> Any:
    """As _read, of a text whose characters can all be shown."""
    return text if text[:1] not in _OTHERS and _is_simple(text) else _read(text)


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
