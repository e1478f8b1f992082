"""Edits of a parsed page that lxml has no name for.

Parts to be cut are marked first and swept once, so a page with very many of them costs no more than its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from lxml import etree

from crawler.text import normal

Element = etree._Element
Path = Callable[[Element], list[Element]]

_STRING = etree.XPath("string()", smart_strings=False)  # in C: far quicker than joining itertext()
_OVERLAY = "\u0338"  # with `<`, `=` or `>` before it NFC makes one character of the two
_JOINER = "\u034f"  # combining grapheme joiner: nobody sees it, and nothing joins over it
_CUT = "CUT"  # the parser writes tags in lower case, so no page can hold this


def path(xpath: str) -> Path:
    """A compiled XPath: from a node to the elements that it finds, in page order."""
    compiled = etree.XPath(xpath)
    return lambda node: cast(list[Element], compiled(node))


def has_class(node: Element, name: str) -> bool:
    """Whether an element has `name` among its classes."""
    return name in node.get("class", "").split()


def text_of(node: Element) -> str:
    """All text in an element, runs of white space as one space."""
    return one_line(raw_text(node))


def one_line(text: str) -> str:
    """A text with its runs of white space as one space."""
    return " ".join(text.split())


def raw_text(node: Element) -> str:
    """All text in an element as it stands; of a comment, which is no element, its own."""
    return cast(str, _STRING(node)) if len(node) else node.text or ""


def attribute(node: Element, name: str) -> str:
    """An attribute that is text, in its normal form and in one line; empty where it is absent."""
    value = node.get(name)
    return one_line(_apart(normal(value))) if value else ""


def normalize_text(root: Element) -> None:
    """Bring all text below `root` into its normal form, in place: what is written round it can't join it afterwards.

    That has to come before anything in the text is escaped; attributes are brought there as `attribute` reads them.
    """
    text = raw_text(root)
    if normal(text) == text and _OVERLAY not in text:  # nearly all pages
        return
    for node in root.iter():
        if node.text:
            node.text = _apart(normal(node.text))
        if node.tail and node is not root:
            node.tail = _apart(normal(node.tail))


def _apart(text: str) -> str:
    return f"{_JOINER}{text}" if text.startswith(_OVERLAY) else text


def texts(node: Element) -> Iterator[str]:
    """The runs of text in an element, in page order."""
    return cast(Iterator[str], node.itertext())


def text_before(node: Element) -> str:
    """The text right before an element, up to its parent's start or the element before it."""
    previous, parent = node.getprevious(), node.getparent()
    before = previous.tail if previous is not None else parent.text if parent is not None else None
    return before or ""


def set_text_before(node: Element, text: str) -> None:
    """Write what `text_before` reads."""
    previous, parent = node.getprevious(), node.getparent()
    if previous is not None:
        previous.tail = text
    elif parent is not None:
        parent.text = text


def empty_out(node: Element) -> None:
    """Put what an element holds behind it."""
    last = node[-1] if len(node) else node
    text, tail = node.text, node.tail
    node.text = node.tail = None
    for child in list(reversed(node)):
        node.addnext(child)
    node.tail = text
    if tail:
        last.tail = (last.tail or "") + tail


def says_something(node: Element) -> bool:
    """Whether a reader sees anything of it: text, a picture or a video."""
    return any(map(str.strip, texts(node))) or next(node.iter("img", "iframe", "video"), None) is not None


def mark_cut(*nodes: Element) -> None:
    """Mark elements to go with all that is in them; what follows them stays."""
    for node in nodes:
        node.tag = _CUT


def sweep(root: Element) -> None:
    """Carry out what was marked below `root`."""
    etree.strip_elements(root, _CUT, with_tail=False)
