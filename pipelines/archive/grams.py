"""Cut Chinese, Japanese and Korean text into n-grams for the search index.

These languages put no spaces between words (Korean adds endings to them), so SQLite's tokenizer takes a whole clause
as one word. The column `articles.grams` has every run of 1 to 8 characters: what people search for is one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

MAX_GRAM_CHARACTERS = 8
LANGUAGES = ("zh", "ja", "ko")
"""Languages whose articles have grams, as ISO 639 names them."""
_MIN_SHARE = 0.2
"""Share of the letters that are Chinese, Japanese or Korean, from which a text without a language counts as such."""
# Letters alone: punctuation such as the middle dot U+30FB separates words for SQLite too.
_CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f"
    "\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7fb\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
_LETTER = re.compile(r"[^\W\d_]")
_TOKEN = re.compile(r"[^\W_]+")


@cache  # a class of so many characters takes long to compile, and few commands need it
def _cjk_run() -> re.Pattern[str]:
    return re.compile(f"[{_CJK}]+")


@cache
def _same_script() -> re.Pattern[str]:
    return re.compile(f"[{_CJK}]+|[^{_CJK}]+")


def grams_of(lang: str | None, title: str | None, description: str | None, body: str) -> str | None:
    """Return the distinct grams of an article, separated by spaces; None if it is in another language.

    Words of other scripts that touch such text ("iPhone的") are among them: SQLite takes both together as one word.
    """
    text = "\n".join(filter(None, (title, description, body)))
    if text.isascii() or not _is_cjk(text, lang):
        return None
    # Emphasis within a sentence must not part what a reader sees together.
    return " ".join(dict.fromkeys(_grams(text.replace("*", "")))) or None


def _is_cjk(text: str, lang: str | None) -> bool:
    if lang:
        return lang.lower().partition("-")[0] in LANGUAGES
    count = sum(map(len, _cjk_run().findall(text)))
    return count > 0 and count >= _MIN_SHARE * len(_LETTER.findall(text))


def _grams(text: str) -> Iterator[str]:
    for word in _TOKEN.findall(text):
        if not _cjk_run().search(word):
            continue
        for run in _same_script().findall(word):
            if not has_cjk(run):
                yield run
                continue
            for start in range(len(run)):
                for end in range(start + 1, min(start + MAX_GRAM_CHARACTERS, len(run)) + 1):
                    yield run[start:end]


def has_cjk(text: str) -> bool:
    """Return whether a text has Chinese, Japanese or Korean letters."""
    return not text.isascii() and _cjk_run().search(text) is not None


def indexed_parts(text: str) -> list[str]:
    """Return the words of a text as the grams have them, longer ones in parts that overlap.

    >>> indexed_parts("iPhone的电池"), indexed_parts("ウィキペディアの使い方")
    (['iPhone', '的电池'], ['ウィキペディアの', 'ペディアの使い方'])
    """
    return [
        part for word in _TOKEN.findall(text) for run in _same_script().findall(word) for part in _parts(run)
    ]


def _parts(run: str) -> list[str]:
    if len(run) <= MAX_GRAM_CHARACTERS or not has_cjk(run):
        return [run]
    last = len(run) - MAX_GRAM_CHARACTERS
    starts = [*range(0, last, MAX_GRAM_CHARACTERS // 2), last]
    return [run[start : start + MAX_GRAM_CHARACTERS] for start in starts]
