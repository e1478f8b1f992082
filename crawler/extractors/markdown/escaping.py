"""Escape whatever Markdown would read as syntax, and nothing else."""

from __future__ import annotations

import re
from urllib.parse import quote

_SPACES = "[ \t\n\r\f\v\x85\xa0\u2028\u2029]"
_ODD_SPACE = re.compile(rf"{_SPACES}{{2,}}|(?! ){_SPACES}")
_MAYBE_SYNTAX = re.compile(r"[][*`_<&~|\\]")  # most text has none: a quick check
# Each alternative begins with the character itself: those that begin with a look around it are slow to search for.
_SYNTAX = re.compile(
    r"\*|`|\\|_(?:(?![^\W_])|(?<![^\W_]_))|<(?=\S|\Z)|&(?=#?\w+;)|~(?:(?=~)|(?<=~~))|\|(?=\s*:?-)"
)
_LINK_SYNTAX = re.compile(r"\][(\[:]")
_BRACKETS = re.compile(r"[][]")
# A heading, list, quote, rule or the second line of a table where a line starts.
_LINE_START = re.compile(
    r"\s*(?:\d{1,9}(?=[.)](?:\s|\Z))|(?=[-+](?:\s|\Z)|#{1,6}(?:\s|\Z)|>|=+\s*\Z|-[-\s]*\Z|:-+:?\s*\Z))"
)
_CLOSING_HASHES = re.compile(r"(?:(?<= )|\A)#+\Z")
_STARTS = frozenset("0123456789-+#>=:")
_BACKTICKS = re.compile("`+")
# Characters of an address that a reader of Markdown, or of the table that it stands in, may take for something else.
_ODD_ADDRESS = re.compile(r"[^!#-%'*-;=?-\[\]^_a-{}~]")
_KEPT_IN_ADDRESSES = "#$%&+,/:;=?@[\\]^{|}!~*'()"  # what a browser leaves as it is, somewhere in an address
_REFERENCE = re.compile(r"&(?=#?\w+;)")
# What readers that link bare addresses take for one: up to the next space, backslashes included.
_BARE_ADDRESS = re.compile(r"(?:://|www\.)\S*", re.I)
_ESCAPE_IN_ADDRESS = re.compile(r"(?:://|www\.)[^\s\\`]*[\\`]", re.I)
_IN_ADDRESS = re.compile(r"\S*")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_ESCAPED = re.compile(r"\\[][<`\\]")


def escape_text(text: str, *, starts_line: bool = False, in_brackets: bool = False) -> str:
    """Escape one run of text, and collapse its white space as a browser does.

    `starts_line` and `in_brackets` (of a link or a picture) say where it stands.
    """
    if not text.isprintable() or "  " in text:  # the one white space that counts as printable is the space
        text = _ODD_SPACE.sub(" ", text)
    if _MAYBE_SYNTAX.search(text):
        unpaired = text.count("[") != text.count("]") or (in_brackets and not _paired(text, "[", "]"))
        links = unpaired or _LINK_SYNTAX.search(text)
        text = _SYNTAX.sub(r"\\\g<0>", text)
        if links:  # some readers remove the backslashes in a link's text, and then parse it again
            text = _BRACKETS.sub(_reference if in_brackets and "](" in text else r"\\\g<0>", text)
    if starts_line and text.lstrip()[:1] in _STARTS and (start := _LINE_START.match(text)):
        return f"{start[0]}\\{text[start.end() :]}"
    return text


def join_pieces(pieces: list[str]) -> str:
    """Join the text, code and marks of a line.

    Some readers link bare addresses, and take a backslash for part of one: characters in such an address are escaped
    as references, and code in it is an HTML element.
    """
    whole = "".join(pieces)
    if not (("\\" in whole or "`" in whole) and _ESCAPE_IN_ADDRESS.search(whole)):
        return whole
    written: list[str] = []
    in_address = False
    for piece in pieces:
        if piece.startswith("`"):
            written.append(_code_element(piece) if in_address else piece)
            in_address = False
            continue
        is_target = piece.startswith("](")  # what it holds is a link's own address
        text = _IN_ADDRESS.sub(_use_references, piece, count=1) if in_address else piece
        text = text if is_target else _BARE_ADDRESS.sub(_use_references, text)
        written.append(text)
        last = text.split()[-1] if text and not text[-1].isspace() else ""
        begins = not is_target and _BARE_ADDRESS.search(last) is not None
        in_address = begins or (in_address and last == text)
    return "".join(written)


def escape_heading(text: str) -> str:
    """Escape hashes at the end of a heading, which would be read as its syntax."""
    return _CLOSING_HASHES.sub(r"\\\g<0>", text) if text.endswith("#") else text


def code_span(code: str) -> str:
    """Put a run of code between more or fewer backticks than any row in it has."""
    code = code.replace("\n", " ")
    taken = set(_BACKTICKS.findall(code))
    fence = "`"
    while fence in taken:
        fence += "`"
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{fence}{pad}{code}{pad}{fence}"


def code_block(code: str, language: str) -> str:
    """Put a block of code between fences that are longer than any row of backticks in it."""
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in _BACKTICKS.findall(code)), 0)
    return f"{fence}{language}\n{code}\n{fence}"


def link_target(address: str, title: str) -> str:
    """Write the address and the title of a link or a picture, in the parentheses that end it."""
    if _ODD_ADDRESS.search(address):
        address = _escaped(encode_url(address))
    if not title:
        return f"({address})"
    title = _REFERENCE.sub("&amp;", title).replace("\\", r"\\").replace('"', r"\"").replace("<", r"\<")
    return f'({address} "{title}")'


def encode_url(address: str) -> str:
    """Spell an address as a browser sends it: all ASCII, and without spaces or control characters."""
    return quote(address, safe=_KEPT_IN_ADDRESSES)


def _reference(char: re.Match[str]) -> str:
    return f"&#{ord(char[0][-1])};"


def _use_references(address: re.Match[str]) -> str:
    return _ESCAPED.sub(lambda pair: pair[0] if pair[0] == r"\\" else _reference(pair), address[0])


def _code_element(span: str) -> str:
    """Rewrite code between backticks as HTML in which nothing is Markdown."""
    code = span.strip("`")
    if code[:1] == code[-1:] == " " and code.strip():
        code = code[1:-1]
    return f"<code>{_PUNCTUATION.sub(_reference, code)}</code>"


def _escaped(address: str) -> str:
    address = _REFERENCE.sub("&amp;", address.replace("\\", r"\\"))
    return address if _paired(address, "(", ")") else address.replace("(", r"\(").replace(")", r"\)")


def _paired(text: str, opening: str, closing: str) -> bool:
    """Tell whether all brackets of a text are in pairs that close after they open."""
    depth = 0
    for char in text if opening in text or closing in text else "":
        depth += (char == opening) - (char == closing)
        if depth < 0:
            return False
    return depth == 0
