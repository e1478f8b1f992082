"""Text stays the text that a reader saw: what Markdown would read as syntax is escaped, and only that.

Escapes are marked in the parsed page before the conversion and become backslashes after it, as the converter, which
escapes only what opens a block, would escape backslashes themselves.
"""

from __future__ import annotations

import re

from crawler.extractors.tree import Element, mark_unwrap, set_text_before, sweep, text_before

CODE = frozenset(("pre", "code", "kbd", "samp", "tt"))
EMPHASIS = frozenset(("strong", "b", "em", "i", "del", "s", "strike"))

# Noncharacters, which no text has a use for: an escape, brackets that are to be escaped, text that says nothing.
_MARK, _OPENING, _CLOSING, EMPTY = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_MARKED = ((_MARK, "\\"), (_OPENING, r"\["), (_CLOSING, r"\]"), (EMPTY, ""))
_UNMARKED = str.maketrans({"\\": _MARK * 2} | dict.fromkeys((_MARK, _OPENING, _CLOSING, EMPTY), ""))
_BRACKETS = str.maketrans("[]", _OPENING + _CLOSING)
_SPACES = "[ \t\n\r\f\v\x85\xa0\u2028\u2029]"
_ODD_SPACE = re.compile(rf"{_SPACES}{{2,}}|(?! ){_SPACES}")
_MAYBE_SYNTAX = re.compile(rf"[][*`_<&~|\\{_MARK}-{EMPTY}]")  # most text has none, and is told so quickly
_SYNTAX = re.compile(r"[*`]|_(?![^\W_])|(?<![^\W_])_|<(?=\S|\Z)|&(?=#?\w+;)|~(?=~)|(?<=~)~|\|(?=\s*:?-)")
_LINK_SYNTAX = re.compile(r"\][(\[:]")
# A heading, list, quote or rule where a line starts.
_LINE_START = re.compile(
    r"\s*(?:\d{1,9}(?=[.)](?:\s|\Z))|(?=[-+](?:\s|\Z)|#{1,6}(?:\s|\Z)|>|=+\s*\Z|-+\s*\Z))"
)
_STARTS_LINE = frozenset(("p", "li", "blockquote", "div"))
_OPAQUE = CODE.union(("a", "img"))  # their Markdown starts and ends in punctuation


def keep_text(content: Element) -> None:
    """Mark what needs an escape in the text of an article, code aside; loosen emphasis that Markdown cannot say."""
    for node in content.iter(*EMPHASIS):
        _loosen_start(node)
        _loosen_end(node)
    sweep(content)
    code = {node for block in content.iter(*CODE) for node in block.iter()}
    for node in content.iter():
        text, tail = node.text, node.tail
        if text and (not code or node not in code):
            kept = literal(text, starts_line=node.tag in _STARTS_LINE)
            if kept != text:  # writing is slower than reading
                node.text = kept
        if tail and node is not content and (not code or node.getparent() not in code):
            kept = literal(tail, starts_line=node.tag == "br")
            if kept != tail:
                node.tail = kept
    for img in content.iter("img"):
        img.set("alt", literal(img.get("alt", "")))
    for a in content.iter("a"):
        if (before := text_before(a)).endswith("!"):  # else the link becomes a picture
            set_text_before(a, f"{before[:-1]}{_MARK}!")


def literal(text: str, *, starts_line: bool = False) -> str:
    """One run of text with its escapes marked and its white space as a browser shows it."""
    if text == "\n":  # between two blocks
        return " "
    if not text.isprintable() or "  " in text:  # the one white space that counts as printable is the space
        text = _ODD_SPACE.sub(" ", text)
    if _MAYBE_SYNTAX.search(text):
        text = _SYNTAX.sub(rf"{_MARK}\g<0>", text.translate(_UNMARKED))
        if text.count("[") != text.count("]") or _LINK_SYNTAX.search(text):
            text = text.translate(_BRACKETS)
    if starts_line and (start := _LINE_START.match(text)):
        return f"{start[0]}{_MARK}{text[start.end() :]}"
    return text


def escaped(markdown: str) -> str:
    """The marks as backslashes."""
    for mark, meaning in _MARKED:
        markdown = markdown.replace(mark, meaning)
    return markdown


def _loosen_start(node: Element) -> None:
    """Markdown cannot open emphasis between a letter and punctuation: move the punctuation out, or do without."""
    before, previous = text_before(node), node.getprevious()
    if not before[-1:].isalnum() and (before or previous is None or previous.tag not in EMPHASIS):
        return
    text = node.text or ""
    start = next((at for at, char in enumerate(text) if _is_inner(char)), len(text))
    if start < len(text):
        set_text_before(node, before + text[:start])
        node.text = text[start:]
    elif text or (len(node) and node[0].tag in _OPAQUE):
        mark_unwrap(node)


def _loosen_end(node: Element) -> None:
    """The same for emphasis that closes between punctuation and a letter."""
    tail, following = node.tail or "", node.getnext()
    if not tail[:1].isalnum() and (tail or following is None or following.tag not in EMPHASIS):
        return
    last = node[-1] if len(node) else None
    text = (node.text if last is None else last.tail) or ""
    end = next((at for at in range(len(text), 0, -1) if _is_inner(text[at - 1])), 0)
    if end:
        node.tail = text[end:] + tail
        if last is None:
            node.text = text[:end]
        else:
            last.tail = text[:end]
    elif text or (last is not None and last.tag in _OPAQUE):
        mark_unwrap(node)


def _is_inner(char: str) -> bool:
    """Whether emphasis may end at a character whatever stands beside it."""
    return char.isalnum() or char.isspace()
