"""Detect the language of a text."""

from __future__ import annotations

import re

import pycld2

_MIN_BYTES = 60  # of UTF-8; in less, names of products outweigh words
_SLICE_CHARACTERS = 400  # at the start, in the middle and at the end: as sure as all, and many times as quick
_ADDRESS = re.compile(r"https?://\S+")
_WORD = re.compile(r"[^\W\d_]+")
_RENAMED = {"iw": "he", "jw": "jv"}  # codes that ISO 639-1 has given up


def detect_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the language of a text; None where the text is too short to tell."""
    middle = (len(text) - _SLICE_CHARACTERS) // 2
    if len(text) > 3 * _SLICE_CHARACTERS:
        parts = (text[:_SLICE_CHARACTERS], text[middle:][:_SLICE_CHARACTERS], text[-_SLICE_CHARACTERS:])
        text = " ".join(parts)
    prose = " ".join(_WORD.findall(_ADDRESS.sub(" ", text))).encode()
    if len(prose) < _MIN_BYTES:
        return None
    _, _, languages = pycld2.detect(prose, isPlainText=True, bestEffort=True)
    code = languages[0][1].partition("-")[0]  # zh-Hant is zh
    return _RENAMED.get(code, code) if code != "un" and len(code) == 2 else None
