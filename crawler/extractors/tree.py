"""Queries and edits of a parsed page that lxml has no name for.

Elements to be removed are marked first and removed together, so a page with very many of them costs no more than its
size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from lxml import etree

from crawler.text import normal

Element = etree._Element
XPath = Callable[[Element], list[Element]]

MEDIA = ("img", "iframe", "video")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

_STRING = etree.XPath("string()", smart_strings=False)  # in C: far quicker than joining itertext()
_OVERLAY = "\u0338"  # with `<`, `=` or `>` before it NFC makes one character of the two
_JOINER = "\u034f"  # combining grapheme joiner: nobody sees it, and nothing joins over it
_REMOVED = "REMOVED"  # the parser writes tags in lower case, so no page can hold this


def xpath(expression: str) -> XPath:
    """Compile an XPath expression to a function from a node to the elements that match, in page order."""
    compiled = etree.XPath(expression)
    return lambda node: cast(list[Element], compiled(node))


def has_class(node: Element, name: str) -> bool:
    """Tell whether an element has `name` among its classes."""
    return name in node.get("class", "").split()


def has_ancestor(node: Element, *tags: str) -> bool:
    """Tell whether an element stands in one of these tags."""
    return next(node.iterancestors(*tags), None) is not None


def has_descendant(node: Element, *tags: str) -> bool:
    """Tell whether an element holds one of these tags, at any depth."""
    return len(node) > 0 and next(node.iterdescendants(*tags), None) is not None


def has_content(node: Element) -> bool:
    """Tell whether a reader sees anything of an element: text, a picture or a video."""
    return any(map(str.strip, cast("list[str]", node.itertext()))) or has_media(node)


def has_media(node: Element) -> bool:
    """Tell whether an element is or holds a picture, a frame or a video."""
    return next(node.iter(*MEDIA), None) is not None


def text_of(node: Element) -> str:
    """Return all text in an element, runs of white space as one space."""
    return one_line(raw_text(node))


def one_line(text: str) -> str:
    """Collapse runs of white space to one space, and strip it at both ends."""
    return " ".join(text.split())


def raw_text(node: Element) -> str:
    """Return all text in an element unchanged; of a comment, which is no element, its own."""
    return cast(str, _STRING(node)) if len(node) else node.text or ""


def attribute(node: Element, name: str) -> str:
    """Return a text attribute in its normal form and in one line; empty where it is absent."""
    value = node.get(name)
    return unjoinable(one_line(normal(value))) if value else ""  # at last: it may begin behind a space


def normalize_text(root: Element) -> None:
    """Bring all text below `root` into its normal form, in place, so that it can't join what is written around it.

    Call it before anything in the text is escaped. Attributes are normalized when `attribute` reads them.
    """
    text = raw_text(root)
    if normal(text) == text and _OVERLAY not in text:  # nearly all pages
        return
    for node in root.iter():
        if node.text:
            node.text = unjoinable(normal(node.text))
        if node.tail and node is not root:
            node.tail = unjoinable(normal(node.tail))


def unjoinable(text: str) -> str:
    """Return a text that joins no `<`, `=` or `>` that is written before it."""
    return f"{_JOINER}{text}" if text.startswith(_OVERLAY) else text


def move_children_after(node: Element) -> None:
    """Move what an element holds behind it."""
    last = node[-1] if len(node) else node
    text, tail = node.text, node.tail
    node.text = node.tail = None
    for child in list(reversed(node)):
        node.addnext(child)
    node.tail = text
    if tail:
        last.tail = (last.tail or "") + tail


def mark_for_removal(*nodes: Element) -> None:
    """Mark elements to be removed with all that is in them; the text after them stays."""
    for node in nodes:
        node.tag = _REMOVED


def remove_marked(root: Element, *more: Any) -> None:
    """Remove the marked elements below `root`, and those of `more` tags."""
    etree.strip_elements(root, _REMOVED, *more, with_tail=False)
