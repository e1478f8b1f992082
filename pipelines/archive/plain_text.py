"""Reduce Markdown to the text that a reader sees, quickly: by patterns, without parsing it."""

from __future__ import annotations

import re
from html import unescape

# Each pattern takes time in proportion to the text, whatever that is: no part of one can match what another took.
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\n]|\([^()\n]*\))*\)")
_AUTOLINK = re.compile(r"<(https?:[^\s<>]+)>")
_BREAK = re.compile(r"<(?:br|/?(?:p|div|li|tr|td|th|h[1-6]|summary|table))\b[^<>]*>")
_TAG = re.compile(r"<[!/]?[a-zA-Z-][^<>]*>")
_LINE_WITHOUT_TEXT = re.compile(r"^[ \t>|:*_=~`-]+$|^[ \t]*(?:```|~~~).*$", re.MULTILINE)
_LINE_START = re.compile(r"^(?:[>|]|[-*+#]+(?=[ \t])|\d{1,9}[.)](?=[ \t])|[ \t])+", re.MULTILINE)
_MARKS = re.compile(r"\*+|~~|`+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_BLANKS = re.compile(r"[ \t|]+")
_LINE_END = re.compile(r" *\n *")
_BLANK_LINES = re.compile(r"\n{3,}")

_PRIVATE_USE = 0xE000
"""Escaped characters move there, where no pattern takes them for Markdown."""
_BACK = {_PRIVATE_USE + code: code for code in range(0x80)}


def plain_text(markdown: str) -> str:
    r"""Return the text of a body: of links and images their words, of tables their cells, no marks and no HTML.

    >>> plain_text("## A *good* [knife](https://a.example/x_(y))\n\n- 5 \\* 3 &amp; `more`\n\n| a | b |\n| - | - |")
    'A good knife\n\n5 * 3 & more\n\na b'
    """
    text = _ESCAPE.sub(lambda match: chr(_PRIVATE_USE + ord(match[1])), markdown)
    text = _IMAGE_OR_LINK.sub(r"\1", text)
    if "](" in text:  # a picture within a link
        text = _IMAGE_OR_LINK.sub(r"\1", text)
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub(" ", _AUTOLINK.sub(r"\1", text)))
    text = _LINE_START.sub("", _LINE_WITHOUT_TEXT.sub("", text))
    text = _BLANKS.sub(" ", _MARKS.sub("", text))
    if "&" in text:
        text = unescape(text)
    return _BLANK_LINES.sub("\n\n", _LINE_END.sub("\n", text)).translate(_BACK).strip()
