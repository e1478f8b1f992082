"""Find a search that returns something in place of one that does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from pipelines.analysis.search import NO_FILTERS, Filters, search
from pipelines.archive.query import Term, parse

_MIN_PREFIX_CHARACTERS = 3
_MAX_TRIED_WORDS = 8


class Suggestion(NamedTuple):
    """A search that has hits."""

    words: str
    filters: Filters


def suggest(connection: sqlite3.Connection, words: str, filters: Filters) -> Suggestion | None:
    """Return the nearest search that has hits; None if there is none.

    The same words without filters, then one of the words, then the beginning of one.
    """
    for suggestion in _wider(words, filters):
        if search(connection, suggestion.words, suggestion.filters, limit=1).hits:
            return suggestion
    return None


def _wider(words: str, filters: Filters) -> Iterator[Suggestion]:
    if filters != NO_FILTERS:
        yield Suggestion(words, NO_FILTERS)
    terms = sorted(parse(words), key=lambda term: -len(term.text))[:_MAX_TRIED_WORDS]
    if len(terms) > 1:
        for term in terms:
            yield Suggestion(_typed(term), filters)
    for term in terms:
        for length in range(len(term.text) - 1, _MIN_PREFIX_CHARACTERS - 1, -1):
            yield Suggestion(f"{term.text[:length]}*", NO_FILTERS)


def _typed(term: Term) -> str:
    text = f'"{term.text}"' if term.is_phrase else term.text
    return f"{text}*" if term.is_prefix else text
