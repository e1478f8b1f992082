"""What a text is written in."""

from __future__ import annotations

import re

import pycld2

_LEAST = 60  # bytes of UTF-8; in less, names of products outweigh words
_SLICE = 400  # characters at the start, in the middle and at the end: as sure as all, and many times as quick
_NOT_PROSE = re.compile(r"https?://\S+|(?! [^\W\d_])[\d\W_]+")  # all but the space between two words
_RENAMED = {"iw": "he", "jw": "jv"}  # codes that ISO 639-1 has given up


def language(text: str) -> str | None:
    """The ISO 639-1 code of what a text is written in; None where there is too little of it to tell."""
    middle = (len(text) - _SLICE) // 2
    if len(text) > 3 * _SLICE:
        text = f"{text[:_SLICE]} {text[middle : middle + _SLICE]} {text[-_SLICE:]}"
    prose = _NOT_PROSE.sub(" ", text).strip().encode()
    if len(prose) < _LEAST:
        return None
    _, _, found = pycld2.detect(prose, isPlainText=True, bestEffort=True)
    code = found[0][1].partition("-")[0]  # zh-Hant is zh
    return _RENAMED.get(code, code) if code != "un" and len(code) == 2 else None
