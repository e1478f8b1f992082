"""Cut the part of an article's text that matches a query best, with the matching words apart."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from typing import NamedTuple

from pipelines.analysis.stems import Stemmer
from pipelines.archive.grams import has_cjk, indexed_parts
from pipelines.archive.plain_text import plain_text
from pipelines.archive.query import Term

_SNIPPET_CHARACTERS = 240
_CHARACTERS_BEFORE = 60
"""Of a snippet, before the first match."""
_MAX_CUT_CHARACTERS = 20
"""Of a snippet, at its end, to end between words."""
_MAX_PLACES = 12
"""Of each word of the query, in a text: others change a snippet little, and common words have hundreds."""
_TRIED_LINES = 3
"""Lines of Markdown: the match of the best one may be in a link's address, which nobody sees."""


class Piece(NamedTuple):
    """A part of a snippet."""

    text: str
    matched: bool
    """Whether a word of the query matches it."""


class _Found(NamedTuple):
    """A place in a text that may match."""

    start: int
    end: int
    word: str


_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_NOWHERE = _Found(0, 0, "")


class Snippets:
    """Cuts snippets for one query."""

    def __init__(self, terms: Sequence[Term]) -> None:
        """Take the terms of a query, of which there is at least one."""
        words = [(part, term.is_prefix) for term in terms for part in indexed_parts(term.text)]
        self._is_prefix = {part: is_prefix for part, is_prefix in words if not has_cjk(part)}
        self._keys = {part: part for part, _ in words if has_cjk(part)}
        """What of the query a word of the texts matches, by the word."""
        self._patterns = [re.compile(re.escape(part)) for part in self._keys]

    def of(self, texts: Sequence[tuple[str, str | None]]) -> list[list[Piece]]:
        """Return a snippet of each body, or of its description where nothing in the body matches."""
        letters = {
            letter.lower()
            for both in texts
            for text in both
            if text and not text.isascii()
            for letter in _ACCENTED.findall(text)
        }
        with closing(Stemmer()) as stemmer:
            stems = stemmer.stems_of(self._is_prefix)
            exact = set(stems.values())
            prefixes = tuple(stem for word, stem in stems.items() if self._is_prefix[word])
            self._patterns += [re.compile(_beginning(stem, letters)) for stem in exact]
            places = [(self._places(body), self._places(description or "")) for body, description in texts]
            words = _parted(place.word for both in places for text in both for place in text)
            for word, stem in stemmer.stems_of(words - self._keys.keys()).items():
                if stem in exact or (prefixes and stem.startswith(prefixes)):
                    self._keys[word] = stem
        return [
            self._snippet(body, description, found)
            for (body, description), (found, _) in zip(texts, places, strict=True)
        ]

    def _places(self, text: str) -> list[_Found]:
        """Return where the text may match, of each word of the query the first places."""
        lower = text.replace("\u0130", "I").lower()  # as long as the text: no other letter becomes two
        return sorted(
            _Found(*match.span(), match[0])
            for pattern in self._patterns
            for match in islice(pattern.finditer(lower), _MAX_PLACES)
        )

    def _matching(self, text: str, places: Iterable[_Found]) -> list[_Found]:
        return [found for found in map(_cut, places) if found.word in self._keys and _is_whole(text, found)]

    def _snippet(self, body: str, description: str | None, places: list[_Found]) -> list[Piece]:
        for line in self._best_lines(body, self._matching(body, places)):
            text = _one_line(line)
            if found := self._matching(text, self._places(text)):
                return self._pieces(text, found)
        text = _one_line(description or body[: 4 * _SNIPPET_CHARACTERS])
        return self._pieces(text, self._matching(text, self._places(text)))

    def _best_lines(self, body: str, found: Sequence[_Found]) -> list[str]:
        """Return the lines with the most of the query, the first ones first, but headings last, as titles."""
        lines: dict[tuple[int, int], set[str]] = {}
        start = end = -1
        for place in found:
            if place.start > end:
                start = body.rfind("\n", 0, place.start) + 1
                end = body.find("\n", place.start) % (len(body) + 1)
            lines.setdefault((start, end), set()).add(self._keys[place.word])
        best = sorted(lines, key=lambda line: (-len(lines[line]), body[line[0]] == "#"))[:_TRIED_LINES]
        return [body[start:end] for start, end in best]

    def _pieces(self, text: str, found: Sequence[_Found]) -> list[Piece]:
        """Cut the text round the place where most of the query is near, and part it at the matches."""
        first = max(found, key=lambda place: (self._near(place, found), -place.start), default=_NOWHERE)
        start, end = _window(text, first)
        pieces = [Piece("…", matched=False)] if start > 0 else []
        at = start
        for place in found:
            if place.start >= at and place.end <= end:
                pieces.append(Piece(text[at : place.start], matched=False))
                pieces.append(Piece(text[place.start : place.end], matched=True))
                at = place.end
        pieces.append(Piece(text[at:end] + ("…" if end < len(text) else ""), matched=False))
        return [piece for piece in pieces if piece.text]

    def _near(self, first: _Found, found: Sequence[_Found]) -> int:
        """Count what of the query a snippet shows that begins with a match."""
        end = first.start + _SNIPPET_CHARACTERS - _CHARACTERS_BEFORE
        return len(
            {self._keys[place.word] for place in found if first.start <= place.start and place.end <= end}
        )


def _window(text: str, first: _Found) -> tuple[int, int]:
    """Return where a snippet begins and ends that shows a match: between words where there are spaces."""
    start = max(0, min(first.start - _CHARACTERS_BEFORE, len(text) - _SNIPPET_CHARACTERS))
    if start:
        start = max(text.find(" ", start, first.start) + 1, start)
    end = min(start + _SNIPPET_CHARACTERS, len(text))
    if end < len(text):
        end = max(text.rfind(" ", first.end, end), first.end, end - _MAX_CUT_CHARACTERS)
    return start, end


def _cut(found: _Found) -> _Found:
    """Return a place without the Chinese, Japanese or Korean text that follows a word of another script."""
    (word, *others) = indexed_parts(found.word) if has_cjk(found.word) else [found.word]
    return _Found(found.start, found.start + len(word), word) if others else found


def _is_whole(text: str, found: _Found) -> bool:
    """Return whether a word is no part of a longer one; next to a CJK letter, no word goes on."""
    before, after = text[found.start - 1 : found.start], text[found.end : found.end + 1]
    return not (before.isalnum() or after.isalnum()) or has_cjk(before + found.word + after)


def _one_line(markdown: str) -> str:
    return " ".join(plain_text(markdown).split())


def _parted(words: Iterable[str]) -> set[str]:
    """Return the words, cut where Chinese, Japanese or Korean text begins."""
    return {indexed_parts(word)[0] if has_cjk(word) else word for word in words}


def _beginning(stem: str, letters: Iterable[str]) -> str:
    """Return a pattern of lower-case words that may have a stem, with those accents that are among the letters.

    They begin with it, but for its last letter: "happi" is the stem of "happy", "hope" that of "hoping".
    """
    beginning = stem[:-1] if len(stem) > 1 and stem.endswith(("e", "i")) else stem
    accented: defaultdict[str, str] = defaultdict(str)
    for letter in letters:
        base = unicodedata.normalize("NFD", letter)[0]
        if base != letter:
            accented[base] += letter
    # Letters by themselves where that is enough: they are found quicker than sets.
    sets = {base: f"[{base}{others}]" for base, others in accented.items()}
    return "".join(sets.get(letter) or re.escape(letter) for letter in beginning) + r"[^\W_]*"
