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
from pipelines.archive.grams import has_cjk, indexed_parts
from pipelines.archive.search_index import TOKENIZER

_SNIPPET_CHARACTERS = 240
_CHARACTERS_BEFORE = 60
"""Of a snippet, before the first match."""
_TRIED_LINES = 3
"""Lines of Markdown: the match of the best one may be in a link's address, which nobody sees."""


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
        self._literals = set[str]()
        """Parts that match wherever they stand: there are no spaces about them."""
        self._words = dict[str, bool]()
        """Words, and whether each is a prefix."""
        for term in terms:
            for part in indexed_parts(term.text):
                if has_cjk(part):
                    self._literals.add(part)
                else:
                    self._words[part] = term.is_prefix

    def of(self, texts: Sequence[tuple[str, str | None]]) -> list[list[Piece]]:
        """Return a snippet of each body, or of its description where nothing in the body matches."""
        keys = dict(zip(self._literals, self._literals, strict=True)) | self._matching_words(texts)
        pattern = re.compile("|".join(map(re.escape, sorted(keys, key=len, reverse=True))) or "(?!)")
        return [_snippet(body, description, keys, pattern) for body, description in texts]

    def _matching_words(self, texts: Sequence[tuple[str, str | None]]) -> dict[str, str]:
        """Return the words of the texts that match, each with the stem in the query that it matches."""
        wanted = _stems([*self._words])
        exact = set(wanted.values())
        prefixes = tuple(stem for word, stem in wanted.items() if self._words[word])
        patterns = [re.compile(pattern) for pattern in map(_beginning, exact)]
        candidates = {
            word
            for body, description in texts
            for pattern in patterns
            for word in (*pattern.findall(body), *pattern.findall(description or ""))
        }
        return {
            word: stem
            for word, stem in _stems([*_parted(candidates)]).items()
            if stem in exact or (prefixes and stem.startswith(prefixes))
        }


def _snippet(
    body: str, description: str | None, keys: dict[str, str], pattern: re.Pattern[str]
) -> list[Piece]:
    for line in _best_lines(body, keys, pattern):
        text = _one_line(line)
        if found := list(_find(text, keys, pattern)):
            return _pieces(text, found)
    text = _one_line(description or body[: 4 * _SNIPPET_CHARACTERS])
    return _pieces(text, list(_find(text, keys, pattern)))


def _find(text: str, keys: dict[str, str], pattern: re.Pattern[str]) -> Iterator[_Found]:
    for match in pattern.finditer(text):
        if _is_whole(text, match):
            yield _Found(*match.span(), keys[match[0]])


def _is_whole(text: str, match: re.Match[str]) -> bool:
    """Return whether a match is no part of a longer word; next to a CJK letter, no word goes on."""
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return not (before.isalnum() or after.isalnum()) or has_cjk(before + match[0] + after)


def _best_lines(body: str, keys: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    """Return the lines with the most of the query, the first ones first, but headings last: they repeat titles."""
    wanted = len(set(keys.values()))
    lines: dict[tuple[int, int], set[str]] = {}
    complete = 0
    start = end = -1
    for found in _find(body, keys, pattern):
        if found.start > end:
            if complete == _TRIED_LINES:
                break
            start = body.rfind("\n", 0, found.start) + 1
            end = body.find("\n", found.start) % (len(body) + 1)
        line = lines.setdefault((start, end), set())
        if found.key not in line:
            line.add(found.key)
            if len(line) == wanted:
                complete += 1
    best = sorted(lines, key=lambda line: (-len(lines[line]), body[line[0]] == "#"))[:_TRIED_LINES]
    return [body[start:end] for start, end in best]


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


def _parted(words: Iterable[str]) -> set[str]:
    """Return the words, cut where Chinese, Japanese or Korean text begins."""
    return {indexed_parts(word)[0] if has_cjk(word) else word for word in words}


def _beginning(stem: str) -> str:
    """Return a pattern of words that may have a stem, in any case and with any accents.

    They begin with it, but for its last letter: "happi" is the stem of "happy", "hope" that of "hoping".
    """
    beginning = stem[:-1] if len(stem) > 1 and stem.endswith(("e", "i")) else stem
    return "".join(map(_with_accents, beginning)) + r"[^\W_]*"


def _with_accents(letter: str) -> str:
    return f"[{re.escape(letter + letter.upper())}{_accented().get(letter, '')}]"


@cache
def _accented() -> dict[str, str]:
    """Return the Latin letters with accents, by the letter that the index has in their place."""
    accented: dict[str, str] = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code).lower())[0]
        if base.isascii():
            accented[base] = accented.get(base, "") + chr(code)
    return accented
