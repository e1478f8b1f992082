"""Compare two texts exactly: the share of their runs of words that both have."""

from __future__ import annotations

import re

Shingles = frozenset[str]
"""All runs of five words of a text."""

_WORDS = 5
"""Words of a shingle."""
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Characters of scripts without spaces between words, and of Korean: each counts as a word."""
_TARGET = re.compile(r"\]\([^()\s]*")
"""The address of a link or an image in Markdown: blogs rotate those of their advertisements."""
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_SPACED_WORD = re.compile(r"\w+")
"""For texts that have no other words: it is twice as quick."""
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


def shingles(markdown: str) -> Shingles:
    """Return all runs of five words of a text; of a shorter one, all of it. A text without words has none.

    >>> sorted(shingles("Mix *flour* and [water](https://a.example/), then wait."))
    ['flour and water then wait', 'mix flour and water then']
    """
    text = _TARGET.sub("]", markdown).casefold()
    words = (_WORD if _HAS_UNSPACED.search(text) else _SPACED_WORD).findall(text)
    if not words:
        return frozenset()
    runs = zip(*(words[start:] for start in range(min(_WORDS, len(words)))), strict=False)
    return frozenset(map(" ".join, runs))


def similarity(one: Shingles, other: Shingles) -> float:
    """Return the Jaccard similarity of two texts: 1 where all shingles are the same, 0 where none is."""
    common = len(one & other)
    total = len(one) + len(other) - common
    return common / total if total else 0.0
