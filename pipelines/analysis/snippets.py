"""Cut the part of an article's text that matches a query best, with the matching words apart."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
from typing import NamedTuple

from pipelines.analysis.plain_text import plain_text
from pipelines.analysis.query import Term
from pipelines.archive.grams import CJK, has_cjk, indexed_parts
from pipelines.archive.search_index import TOKENIZER

_SNIPPET_CHARACTERS = 240
_CHARACTERS_BEFORE = 60
"""Of a snippet, before the first match."""
_TRIED_LINES = 3
"""Lines of Markdown: the match of the best one may be in a link's address, which nobody sees."""
_SHARED_CHARACTERS = 2
"""Characters at the beginning that a word shares with its stem."""
_LETTER = rf"[^\W_{CJK}]"
_WORD = re.compile(f"{_LETTER}+")


class Piece(NamedTuple):
    """A part of a snippet."""

    text: str
    matched: bool
    """Whether a word of the query matches it."""


class _Found(NamedTuple):
    """A match in a text."""

    start: int
    end: int
    key: str
    """What of the query it matches."""


class Snippets:
    """Cuts snippets for one query."""

    def __init__(self, terms: Sequence[Term]) -> None:
        """Take the terms of a query, of which there is at least one."""
        literals = {part.lower() for term in terms if has_cjk(term.text) for part in indexed_parts(term.text)}
        words = {
            word: term.is_prefix
            for term in terms
            if not has_cjk(term.text)
            for word in _WORD.findall(term.text)
        }
        patterns = [re.escape(part) for part in sorted(literals, key=len, reverse=True)]
        patterns += [f"(?<!{_LETTER}){_beginning(word)}{_LETTER}*" for word in words]
        self._literals = literals
        self._words = words
        self._candidate = re.compile("|".join(patterns), re.IGNORECASE)

    def of(self, texts: Sequence[tuple[str, str | None]]) -> list[list[Piece]]:
        """Return a snippet of each body, or of its description where nothing in the body matches."""
        candidates = {match[0] for body, _ in texts for match in self._candidate.finditer(body)}
        keys = self._keys(candidates)
        return [self._snippet(body, description, keys) for body, description in texts]

    def _keys(self, candidates: Iterable[str]) -> dict[str, str]:
        """Return what of the query each candidate matches; others are left out."""
        keys = {text: text.lower() for text in candidates if text.lower() in self._literals}
        words = [text for text in candidates if text not in keys]
        stems = _stems([*words, *self._words])
        wanted = {stems[word]: is_prefix for word, is_prefix in self._words.items() if word in stems}
        for word in words:
            stem = stems.get(word, "")
            prefixes = (key for key, is_prefix in wanted.items() if is_prefix and stem.startswith(key))
            if key := stem if stem in wanted else next(prefixes, None):
                keys[word] = key
        return keys

    def _snippet(self, body: str, description: str | None, keys: dict[str, str]) -> list[Piece]:
        for line in self._best_lines(body, keys):
            text = _one_line(line)
            if found := self._find(text, keys):
                return _pieces(text, found)
        text = _one_line(description or body[: 4 * _SNIPPET_CHARACTERS])
        return _pieces(text, self._find(text, keys))

    def _find(self, text: str, keys: dict[str, str]) -> list[_Found]:
        matches = self._candidate.finditer(text)
        return [_Found(*match.span(), keys[match[0]]) for match in matches if match[0] in keys]

    def _best_lines(self, body: str, keys: dict[str, str]) -> Iterator[str]:
        """Return the lines with the most of the query, the first ones first."""
        lines: dict[tuple[int, int], set[str]] = {}
        end = 0
        start = -1
        for found in self._find(body, keys):
            if found.start >= end:
                start = body.rfind("\n", 0, found.start) + 1
                end = body.find("\n", found.start) % (len(body) + 1)
            lines.setdefault((start, end), set()).add(found.key)
        best = sorted(lines, key=lambda line: -len(lines[line]))[:_TRIED_LINES]
        return (body[start:end] for start, end in best)


def _pieces(text: str, found: Sequence[_Found]) -> list[Piece]:
    """Cut the text round the place where most of the query is near, and part it at the matches."""
    first = max(found, key=lambda match: (_near(match, found), -match.start), default=_Found(0, 0, ""))
    start = max(0, min(first.start - _CHARACTERS_BEFORE, len(text) - _SNIPPET_CHARACTERS))
    start = 0 if start == 0 else max(text.find(" ", start, first.start) + 1, start)
    end = min(start + _SNIPPET_CHARACTERS, len(text))
    end = len(text) if end == len(text) else max(text.rfind(" ", first.end, end), first.end, end - 20)
    pieces = [Piece("…", matched=False)] if start > 0 else []
    at = start
    for match in found:
        if match.start >= at and match.end <= end:
            pieces += [
                Piece(text[at : match.start], matched=False),
                Piece(text[match.start : match.end], matched=True),
            ]
            at = match.end
    pieces.append(Piece(text[at:end] + ("…" if end < len(text) else ""), matched=False))
    return [piece for piece in pieces if piece.text]


def _near(first: _Found, found: Sequence[_Found]) -> int:
    """Count what of the query a snippet shows that begins with a match."""
    end = first.start + _SNIPPET_CHARACTERS - _CHARACTERS_BEFORE
    return len({match.key for match in found if first.start <= match.start and match.end <= end})


def _one_line(markdown: str) -> str:
    return " ".join(plain_text(markdown).split())


def _stems(words: Sequence[str]) -> dict[str, str]:
    """Return what SQLite's tokenizer makes of each word; it is asked itself, so that both always agree."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f"CREATE VIRTUAL TABLE words USING fts5 (word, tokenize='{TOKENIZER}')")
        db.execute("CREATE VIRTUAL TABLE stems USING fts5vocab (words, instance)")
        db.executemany("INSERT INTO words (rowid, word) VALUES (?, ?)", enumerate(words))
        return {
            words[row]: stem for stem, row in db.execute('SELECT term, doc FROM stems WHERE "offset" = 0')
        }


def _beginning(word: str) -> str:
    """Return a pattern of the beginning that all forms of a word share, with any accents."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    letters = [letter for letter in decomposed if not unicodedata.combining(letter)]
    return "".join(map(_with_accents, letters[:_SHARED_CHARACTERS]))


def _with_accents(letter: str) -> str:
    return f"[{re.escape(letter)}{_accented().get(letter, '')}]"


@cache
def _accented() -> dict[str, str]:
    """Return the Latin letters with accents, by the letter that the index has in their place."""
    accented: dict[str, str] = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code).lower())[0]
        if base.isascii():
            accented[base] = accented.get(base, "") + chr(code)
    return accented
