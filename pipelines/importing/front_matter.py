"""Read the front matter of Markdown files, whoever wrote them, at a cost that their size bounds."""

from __future__ import annotations

import re
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler

_MAX_LEVELS = 32
"""Levels of nesting; the parser's own stack ends at some ten thousand, and the program with it."""
_MAX_ALIASES = 20
"""References to what stands elsewhere; each can stand for all that was written before it."""
_MAX_CHARACTERS = 2**20
"""Characters of a block; the also-read list of a page has some ten thousand."""


class InvalidFile(Exception):
    """A file that can't be imported: the reason, as a clause that follows its name."""


class FrontMatterHandler(YAMLHandler):
    """Read YAML front matter between two lines of three dashes; refuse what would exhaust the parser."""

    FM_BOUNDARY = re.compile(r"^---[ \t]*+\r?$\n?", re.MULTILINE)

    def load(self, fm: str, **kwargs: object) -> Any:
        """Return the values of a block of front matter. Raises InvalidFile."""
        if len(fm) > _MAX_CHARACTERS:
            raise InvalidFile(f"front matter of {len(fm) / 2**20:.0f} MB")
        try:
            _check_events(fm)
            return super().load(fm, **kwargs)
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
            raise InvalidFile(f"front matter that is not valid YAML: {_one_line(error)}") from None


def read(content: bytes) -> tuple[dict[str, Any], str]:
    """Return the front matter of a file as YAML reads it, and the text after it as it stands. Raises InvalidFile."""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InvalidFile(f"not UTF-8 (byte {error.start})") from None
    handler = FrontMatterHandler()
    try:
        if not handler.detect(text):
            raise ValueError
        # Not by frontmatter.parse(), which strips the text: a first line that is indented is code in Markdown.
        block, body = handler.split(text)
    except ValueError:  # it is not opened, or not closed
        raise InvalidFile("no front matter: it has to begin with a block between two lines of ---") from None
    values = handler.load(block)
    if not isinstance(values, dict):
        raise InvalidFile("front matter that is not a list of keys and values")
    return values, body


def _check_events(block: str) -> None:
    """Raise InvalidFile where a parser that builds values would exhaust its memory or stack."""
    level = aliases = 0
    for event in yaml.parse(block, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if level > _MAX_LEVELS:
            raise InvalidFile(f"front matter nested more than {_MAX_LEVELS} levels deep")
        if aliases > _MAX_ALIASES:
            raise InvalidFile(f"front matter with more than {_MAX_ALIASES} aliases")


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.problem}, line {error.problem_mark.line + 2}"
    return " ".join(str(error).split())
