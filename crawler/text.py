"""Normalize text: what looks the same to a reader is the same bytes on any machine."""

from __future__ import annotations

import re
import unicodedata

# Control characters other than tab and newline, invisible marks, half surrogates, spaces that look like one.
_INVISIBLE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffe\uffff"
_SURROGATES = "\ud800-\udfff"
_ODD_SPACES = "\u00a0\u2007\u202f"
_ODD_CHARACTERS = re.compile(f"[{_INVISIBLE}{_SURROGATES}{_ODD_SPACES}]")
_PLAIN_ASCII = bytes(range(0x20, 0x7F)) + b"\t\n"
_NORMAL = re.compile("[\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]*")
"""What most texts have beside ASCII: Latin letters, quotes, dashes. None of them joins what stands before it."""
_QUOTED = re.compile(r'"(.*)"')
_NOT_TEXT = re.compile(f"[\0{_SURROGATES}]")
_BYTES = {
    bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)): byte
    for byte in range(0x80, 0x100)
}
"""Bytes by the characters that Windows-1252 reads them as, or Latin-1 where it has none."""
_MISREAD = re.compile(f"[\u00c2-\u00f4][{re.escape(''.join(list(_BYTES)[:0x40]))}]+")
"""What a letter of UTF-8 looks like when it is read as Windows-1252."""
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal: control characters other than tab and newline, and marks of writing direction."""


def normal(text: str) -> str:
    r"""Return a text in its normal form: NFC, lines that end in "\n", plain spaces, no invisible characters.

    Applying it twice changes nothing. It is not for Markdown or HTML: there, removing a character can join what it
    separated, `[x]` and `(javascript:…)` for instance, and U+1FEF becomes a backtick.

    >>> normal("Cafe\u0301\u00a0au\u200b lait\r\n")
    'Café au lait\n'
    """
    # Many times as quick as a search.
    odd = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN_ASCII)
    if not odd or _NORMAL.fullmatch(rest := odd.decode("utf-8", "surrogatepass")):
        return text
    if not rest.isprintable():
        text = _ODD_CHARACTERS.sub(_plain, _with_newlines(text))
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def unquote(line: str) -> str:
    r"""Take off the pair of quotes that the sites' own YAML left round a line; quotes that are part of it stay.

    Applying it twice changes nothing.

    >>> unquote('"[New] "Smart" glasses"')
    '[New] "Smart" glasses'
    >>> unquote('"Smart" and "dumb"')
    '"Smart" and "dumb"'
    """
    while (match := _QUOTED.fullmatch(line)) and not _closes_early(match[1]):
        line = match[1].strip()
    return line


def _closes_early(inner: str) -> bool:
    """Tell whether the first quote within a quoted line closes the one that the line begins with."""
    first = inner.find('"')
    return first >= 0 and (inner[0].isspace() or (first > 0 and not inner[first - 1].isspace()))


def normal_markdown(markdown: str) -> str:
    r"""Return Markdown as files have it: its meaning unchanged, without blank lines at its ends.

    >>> normal_markdown("[x]\u200b(y)\r\nz\ud800")
    '[x]\u200b(y)\nz�'
    """
    markdown = _with_newlines(markdown)
    if not markdown.replace("\n", "").isprintable():
        markdown = _NOT_TEXT.sub("\ufffd", markdown)
    return markdown.strip("\n")


def count_mojibake(text: str) -> int:
    r"""Count the places where UTF-8 seems to have been read as Windows-1252 or Latin-1.

    >>> count_mojibake("CafÃ© â€™ Â© 2024"), count_mojibake("Café, Àlex © 2024")
    (3, 0)
    """
    return 0 if text.isascii() else sum(_is_utf8(match[0]) for match in _MISREAD.finditer(text))


def _is_utf8(characters: str) -> bool:
    try:
        return bool(bytes(_BYTES[character] for character in characters).decode("utf-8"))
    except UnicodeDecodeError:
        return False


def counted(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun; the plural adds an "s" unless it is given.

    >>> counted(1, "page"), counted(2500, "page"), counted(0, "copy", "copies")
    ('1 page', '2,500 pages', '0 copies')
    """
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def escape_controls(text: str) -> str:
    r"""Return a text that is safe to print: its control characters and direction marks as visible escapes.

    >>> print(escape_controls("\x1b[31mred café"))
    \x1b[31mred café
    """
    return CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain(odd: re.Match[str]) -> str:
    if odd[0] in _ODD_SPACES:
        return " "
    return "\ufffd" if "\ud800" <= odd[0] <= "\udfff" else ""
