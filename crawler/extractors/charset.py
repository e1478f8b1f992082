"""Decode pages of any charset to UTF-8."""

from __future__ import annotations

import re

from w3lib.encoding import read_bom, resolve_encoding, to_unicode

# <meta charset="gbk">  <meta http-equiv="Content-Type" content="text/html; charset=gbk">
_META_CHARSET = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.I)
_META_WITHIN_BYTES = 4096  # browsers look at the first 1024

# WHATWG's encodings by Python's names. Python also knows codecs that are no text encodings or that take minutes for a
# page (punycode, idna, hex, zlib): never these.
_TEXT_CODECS = frozenset(
    (
        *(
            "utf-8",
            "gb18030",
            "big5hkscs",
            "euc_jp",
            "iso2022_jp",
            "koi8-r",
            "koi8-u",
            "mac-roman",
            "mac-cyrillic",
        ),
        *("cp866", "cp874", "cp932", "cp949", *(f"cp{number}" for number in range(1250, 1259))),
        *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
    )
)
_ESCAPE = b"\x1b"  # ISO-2022-JP is the one encoding whose bytes are valid UTF-8 and mean something else
# Characters that no text has, and most of which no XML tree takes: controls and noncharacters, also as `&#1;` or
# `&#xFFFF;`.
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r"})
_NONCHARACTERS = re.compile(rb"\xef(?:\xb7[\x90-\xaf]|\xbf[\xbe\xbf])")
# Stands for such a reference until text is normalized: what is around it must not become another.
_REMOVED = b"\x7f"
_REFERENCES = re.compile(
    rb"&#(?:x0*(?:[1-8bcef]|1[0-9a-f]|fd[de][0-9a-f]|fff[ef])(?![0-9a-f])"
    rb"|0*(?:[1-8]|1[124-9]|2\d|3[01]|6497[6-9]|649[89]\d|6500[0-7]|6553[45])(?!\d));?",
    re.I,
)


def utf8(html: bytes, charset: str | None = None) -> bytes | None:
    """Return a page as valid UTF-8 without BOM or control characters; None where it has too many to be text.

    The charset is that of the BOM; else UTF-8 if the bytes are valid UTF-8; else the one that the page itself states,
    as servers often send the same for all their pages; else `charset`, which came with it. References to control
    characters become U+007F, which the normal form of a text leaves out. Never raises; invalid bytes become U+FFFD.
    """
    text = _decoded(html, charset)
    if any(map(text.__contains__, _CONTROLS)):  # looking for each is quicker than copying
        clean = text.replace(b"\f", b" ").translate(None, _CONTROLS)
        if len(text) - len(clean) > len(text) // 100:
            return None
        text = clean
    if b"\xef" in text:
        text = _NONCHARACTERS.sub(b"", text)
    return _REFERENCES.sub(_REMOVED, text) if b"&#" in text else text


def _decoded(html: bytes, charset: str | None) -> bytes:
    codec, bom = read_bom(html)
    if codec and bom:
        return _reencoded(html.removeprefix(bom), codec)
    try:
        html.decode()
    except UnicodeDecodeError:
        return _reencoded(html, _declared(html, charset))
    return _reencoded(html, _declared(html, charset)) if _ESCAPE in html else html


def _reencoded(html: bytes, codec: str) -> bytes:
    return to_unicode(html, codec).encode("utf-8", "replace")


def _declared(html: bytes, charset: str | None) -> str:
    """Return the codec of the first known charset: the page's own, the one that came with it, utf-8."""
    match = _META_CHARSET.search(html, 0, _META_WITHIN_BYTES)
    return (match and _codec(match[1].decode("ascii"))) or (charset and _codec(charset)) or "utf-8"


def _codec(label: str) -> str | None:
    """Return the codec that browsers use for a charset label; None where it is not known, or not for text."""
    codec = resolve_encoding(label.strip().lower().removeprefix("x-"))
    return codec if codec in _TEXT_CODECS else None
