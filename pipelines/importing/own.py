"""A file that is just what the archive would write: read in a few steps, as nothing else can be in it."""

from __future__ import annotations

import re
from typing import Any, get_args

from crawler.items import Article, AuthorSource, Image, Link
from pipelines.archive.article_file import VOCABULARY
from pipelines.archive.front_matter import text_of, time_of
from pipelines.normalize import normalize

_LONGEST = 100_000
"""Characters of front matter; what is longer may be more than is taken in."""

_TIMES = ("date", "updated")
_LISTS = ("tags", "categories")
_ENTRY = {
    "images": r"- url: (.*)\n(?:  alt: (.*)\n)?(?:  title: (.*)\n)?",
    "also_read": r"- url: (.*)\n  text: (.*)\n",
}


def _part(name: str) -> str:
    """What stands for a key of the vocabulary: all of it in one group."""
    if name not in (*_LISTS, *_ENTRY):
        return rf"(?:{name}: (.*)\n)?"
    entry = _ENTRY.get(name, r"- .*\n").replace("(.*)", ".*")
    return rf"(?:{name}:\n((?:{entry})++))?"


_FRONT_MATTER = re.compile(rf"---\n{''.join(map(_part, VOCABULARY))}---\n\n")
_ENTRIES = {name: re.compile(entry) for name, entry in _ENTRY.items()}


def read_own(content: bytes) -> Article | None:
    """The article whose file this is to the byte, in its normal form; None where it may be another one."""
    try:
        text = content.decode()
        front_matter = _FRONT_MATTER.match(text)
        if front_matter is None or front_matter.end() > _LONGEST or not text.endswith("\n"):
            return None
        said = dict(zip(VOCABULARY, front_matter.groups(), strict=True))
        if said["author_source"] not in (None, *get_args(AuthorSource)):
            return None
        found = Article(
            **{name: _value(name, value) for name, value in said.items()},
            body=text[front_matter.end() : -1],
            extractor="file",
        )
        return found if normalize(found) == found else None
    except ValueError:
        return None


def _value(name: str, said: str | None) -> Any:
    if name in _LISTS:
        return [text_of(line[2:]) for line in said.splitlines()] if said else []
    if name == "images":
        entries = _ENTRIES[name].findall(said) if said else []
        return [
            Image(text_of(url), *(text_of(text) if text else None for text in rest)) for url, *rest in entries
        ]
    if name == "also_read":
        return (
            [Link(text_of(url), text_of(text)) for url, text in _ENTRIES[name].findall(said)] if said else []
        )
    return said and (time_of(said) if name in _TIMES else text_of(said))
