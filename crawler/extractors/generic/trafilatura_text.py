"""Ask trafilatura for a page's text, as HTML, and for its guesses at the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from crawler.extractors.page import Page
from crawler.extractors.tree import HEADINGS, Element

if TYPE_CHECKING:
    from trafilatura.settings import Document

_DATES = {"extensive_search": False, "original_date": True}  # no guessed dates
# trafilatura's own vocabulary as HTML; where it keeps the tag in an attribute, `rend` has it
_HTML_TAGS = {"item": "li", "quote": "blockquote", "lb": "br", "graphic": "img", "row": "tr", "ref": "a"}
_EMPHASIS = {"#b": "strong", "#i": "em", "#t": "code", "#sub": "sub", "#sup": "sup"}
_INLINE_PARENTS = frozenset(("pre", "p", "li", "td", "th", "a", *HEADINGS, "strong", "em"))


def guess_metadata(page: Page, html: bytes) -> Document:
    """Return the fields that trafilatura finds in the HTML of a page, which it parses again."""
    from trafilatura import extract_metadata  # half a second to load, and most crawls never need it

    return extract_metadata(html, default_url=page.url, date_config={**_DATES, "url": page.url})


def guess_content(page: Page) -> Element | None:
    """Return the article's text as HTML below a `div`; None where trafilatura finds no text."""
    from trafilatura import bare_extraction

    document = bare_extraction(
        etree.tostring(page.doc, method="html", encoding="utf-8"),
        url=page.base,
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
    )
    if document is None or isinstance(document, dict) or document.body is None:
        return None
    content = document.body
    for node in content.iter():
        _to_html(node)
    content.tag = "div"
    return content


def _to_html(node: Element) -> None:
    if node.tag in ("head", "list"):
        node.tag = node.get("rend") or ("h3" if node.tag == "head" else "ul")
    elif node.tag == "hi":
        node.tag = _EMPHASIS.get(node.get("rend", ""), "span")
    elif node.tag == "cell":
        node.tag = "th" if node.get("role") == "head" else "td"
    elif node.tag == "code" and (parent := node.getparent()) is not None:
        node.tag = "code" if parent.tag in _INLINE_PARENTS else "pre"
    elif tag := _HTML_TAGS.get(node.tag):  # others stay: a page may have a name that no tree takes anew
        node.tag = tag
    if node.tag == "a":
        node.set("href", node.get("target", ""))
