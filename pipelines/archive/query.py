"""Parse a query as people type it, and compile it to FTS5 expressions.

Every word is quoted, so nothing in it is FTS5 syntax: `wi-fi`, `C++`, `don't` and a quote that is never closed are
words like others. A "quoted phrase" matches words in this order, and a trailing `*` any ending.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from crawler.text import normal
from pipelines.archive.grams import has_cjk, indexed_parts

_MAX_QUERY_CHARACTERS = 1_000
"""Of a longer query only the beginning counts: SQLite limits the size of an expression."""
_MIN_PREFIX_CHARACTERS = 3
"""Shorter words begin too many others to be read as prefixes unasked."""
_TERM = re.compile(r'"([^"]*)("?\*?)|(\S+)')
_WORDS = re.compile(r"[^\W_]+")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟", '"'))


class Term(NamedTuple):
    """A word or phrase that has to match."""

    text: str
    is_phrase: bool = False
    is_prefix: bool = False

    @property
    def fts(self) -> str:
        """The FTS5 expression."""
        quoted = _quoted(self.text)
        if not has_cjk(self.text):
            return f"{quoted} *" if self.is_prefix else quoted
        # As one word, which it may be in an article of another language, or in the parts that the index has.
        return f"({quoted} OR ({' AND '.join(map(_quoted, indexed_parts(self.text)))}))"

    def as_prefix(self) -> Term:
        """Return the term as a prefix, if it may be read as one."""
        last = _WORDS.findall(self.text)[-1]
        may_be_one = len(last) >= _MIN_PREFIX_CHARACTERS and not self.is_phrase
        return self._replace(is_prefix=True) if may_be_one else self


def parse(words: str) -> list[Term]:
    """Return the terms of a query; none if it has no letter and no digit.

    >>> parse('wi-fi "dark mode" print*')  # doctest: +NORMALIZE_WHITESPACE
    [Term(text='wi-fi', is_phrase=False, is_prefix=False),
     Term(text='dark mode', is_phrase=True, is_prefix=False),
     Term(text='print', is_phrase=False, is_prefix=True)]
    """
    typed = normal(words)[:_MAX_QUERY_CHARACTERS].translate(_QUOTES)
    return [term for match in _TERM.finditer(typed) if _WORDS.search((term := _term(match)).text)]


def _term(match: re.Match[str]) -> Term:
    phrase, end, word = match.groups()
    if word is None:
        return Term(phrase, is_phrase=True, is_prefix=end.endswith("*"))
    return Term(word.rstrip("*"), is_prefix=word.endswith("*"))


def expression(terms: list[Term]) -> str:
    """Return the FTS5 expression that all terms match."""
    return " AND ".join(term.fts for term in terms)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', " ") + '"'
