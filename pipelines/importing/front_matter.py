"""A Markdown file's front matter and its text, whoever wrote it: nothing in it can cost more than its size."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pipelines.archive.front_matter import yaml_values

_OPENING = re.compile(r"\ufeff?---[ \t]*\r?\n")
_CLOSING = re.compile(r"\n---[ \t]*\r?(?:\n|\Z)")

_DEEPEST = 32
"""Levels of nesting; the parser's own stack ends at some ten thousand, and the program with it."""
_MOST_ALIASES = 20
"""References to what stands elsewhere; each can stand for all that was written before it."""
_LONGEST = 2**20
"""Characters; the also-read list of a page has some ten thousand."""


class Unreadable(Exception):
    """A file that can't be taken in: why, in words that follow its name."""


def read(content: bytes) -> tuple[dict[str, Any], str]:
    """The front matter as YAML reads it, and the text after it as it stands. Raises Unreadable."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 (byte {error.start})") from None
    opening = _OPENING.match(text)
    closing = _closing(text, opening.end()) if opening else None
    if opening is None or closing is None:
        raise Unreadable("no front matter: it has to begin with a block between two lines of ---")
    return _values(text[opening.end() : closing.start() + 1]), text[closing.end() :]


def _closing(text: str, begin: int) -> re.Match[str] | None:
    """The line that ends the front matter, with the end of the line before it, which may be the first."""
    at = begin - 1
    while (at := text.find("\n---", at)) >= 0:
        if found := _CLOSING.match(text, at):
            return found
        at += 1
    return None


def _values(block: str) -> dict[str, Any]:
    if len(block) > _LONGEST:
        raise Unreadable(f"front matter of {len(block) / 2**20:.0f} MB")
    values: Any = yaml_values(block)
    if values is None:
        try:
            _check(block)
            values = yaml.load(block, yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
            raise Unreadable(f"front matter that is no YAML: {_in_a_line(error)}") from None
    if not isinstance(values, dict):
        raise Unreadable("front matter that is no list of keys and values")
    return values


def _check(block: str) -> None:
    """Raises Unreadable before a parser that builds values comes to what would break it."""
    depth = aliases = 0
    for event in yaml.parse(block, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > _DEEPEST:
            raise Unreadable(f"front matter nested more than {_DEEPEST} levels deep")
        if aliases > _MOST_ALIASES:
            raise Unreadable(f"front matter with more than {_MOST_ALIASES} aliases")


def _in_a_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.problem}, line {error.problem_mark.line + 2}"
    return " ".join(str(error).split())
