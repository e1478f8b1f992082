"""What a text is written in."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_LEAST = 60  # bytes of UTF-8; in less, names of products outweigh words
_SLICE = 100  # characters at the start, in the middle and at the end: as sure as all, and many times as quick
_NOT_PROSE = re.compile(r"https?://\S+|[\d\W_]+")


def language(text: str) -> str | None:
    """The ISO 639-1 code of what a text is written in; None where there is too little of it to tell.

    The first call in a process waits for load().
    """
    middle = (len(text) - _SLICE) // 2
    if len(text) > 3 * _SLICE:
        text = f"{text[:_SLICE]} {text[middle : middle + _SLICE]} {text[-_SLICE:]}"
    prose = _NOT_PROSE.sub(" ", text).strip()
    if len(prose.encode()) < _LEAST:
        return None
    code: str = load().classify(prose)[0]
    return code


@cache
def load() -> LanguageIdentifier:
    """The model, which takes about a second to load."""
    from numpy import ascontiguousarray
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages([code for code in identifier.labels if len(code) == 2])
    identifier.nb_ptc = ascontiguousarray(identifier.nb_ptc)  # row by row, as it is read
    return identifier
