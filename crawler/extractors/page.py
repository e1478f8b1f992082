"""Parse a fetched page once, and read the meta values of its head."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from crawler.extractors.charset import utf8
from crawler.extractors.links import UNCLOSED, resolve_url
from crawler.extractors.tree import Element

TOO_DEEP = "it is nested more than 256 levels deep, so that part of its article is lost"

# One for all pages: setting a parser up takes as long as reading a tenth of a page.
_PARSER = etree.HTMLParser(encoding="utf-8", remove_pis=True, collect_ids=False)
# The theme's pages have half of their bytes and most of their tags in navigation, before the article and behind it.
# Without that, the tree of the article is the same: the parser never goes back.
_HEAD_OVER = b"</head>"
_ARTICLE_BEGINS = b'<div class="article-content-container'
_ARTICLE_OVER = (
    b'<div class="article-content ',
    b'<div class="post-copyright-info ',
    b'<div class="article-nav ',
)
# Behind all that is parsed: where the tree does not end in it, something swallowed the page's end.
_LAST = "last of page"
_WHOLE = re.compile(rb"</(?:body|html)\s*>", re.I)  # a page with one was not just cut off
# libxml2 leaves out what follows `</html>`, and what follows `</body>` stands nowhere in particular. To browsers, and
# so to readers, such an end tag means nothing where the page goes on: only the last one counts.
_END_TAGS = re.compile(rb"</(?:body|html)(?:\s[^>]{0,100})?/?>", re.I)
_HTML_ENDS = re.compile(rb"</html(?:\s[^>]{0,100})?/?>", re.I)
_GOES_ON = re.compile(rb"<(?!(?:script|style|noscript|link|meta)\b)[a-z]", re.I)
_MAX_DEPTH = 255  # libxml2 reads 256 levels and stops there, in silence; real pages have 17


@dataclass(frozen=True, slots=True)
class Page:
    """A parsed page; an extractor may take its `doc` apart."""

    url: str
    source: bytes
    """The page as the server sent it."""
    charset: str | None
    doc: Element
    base: str
    """The address that relative ones are resolved against: the page's own, or that of its `<base>`."""
    head: dict[str, str]
    """The first meta value of each lower-case property or name, in one line."""
    lost: str | None
    """The reason why `doc` lacks part of the page, if it does."""
    is_theme: bool
    """True where the bytes have all marks of the theme's articles; `doc` then is the head and the article alone."""
    is_complete: bool
    """True where `doc` goes on to the page's `</html>`, or to what follows the article where it is that alone."""

    @property
    def html(self) -> bytes:
        """All of the page as UTF-8, decoded again: few pages need more than `doc`."""
        return _without_inner_ends(utf8(self.source, self.charset) or b"")

    def has_end(self) -> bool:
        """Tell whether all of the page, and not just its article, goes on to `</html>`."""
        if not self.is_theme:
            return self.is_complete
        doc = _parse(self.html)
        return doc is not None and _has_end(doc)


def parse(html: bytes, url: str, charset: str | None = None) -> Page | None:
    """Parse a page in any charset; `charset` is the one that came with it. None where there is no HTML at all."""
    article = _article(html)
    text = utf8(article or html, charset)
    if text is None:
        return None
    doc = _parse(_END_TAGS.sub(b"", text) if article else _without_inner_ends(text))
    if doc is None:
        return None
    return Page(
        url=url,
        source=html,
        charset=charset,
        doc=doc,
        base=_base(doc, url),
        head=_head(doc),
        lost=_lost(doc, html),
        is_theme=article is not None,
        is_complete=article is not None or _has_end(doc),
    )


def _article(html: bytes) -> bytes | None:
    """Return the head and the article of a page of the theme; None where a mark of either is missing."""
    head_over = html.find(_HEAD_OVER)
    begins = over = html.find(_ARTICLE_BEGINS, head_over)
    for mark in _ARTICLE_OVER:
        over = html.find(mark, over) if over >= 0 else over
    return html[:head_over] + html[begins:over] if head_over >= 0 and over >= 0 else None


def _parse(text: bytes) -> Element | None:
    """Parse a page with a mark behind all of it; None where there is no HTML."""
    try:
        return etree.fromstring(b"%b<!--%b-->" % (text, _LAST.encode()), _PARSER)
    except etree.XMLSyntaxError:
        return None


def _without_inner_ends(text: bytes) -> bytes:
    """Remove the end tags of the body and the page that more of the page follows."""
    ends = list(_HTML_ENDS.finditer(text))
    if not ends or _GOES_ON.search(text, ends[-1].end()):
        return _END_TAGS.sub(b"", text)
    last = ends[-1].start()
    return _END_TAGS.sub(b"", text[:last]) + text[last:]


def _has_end(doc: Element) -> bool:
    """Tell whether the parser met `</html>`, not in a script or an attribute: what follows it is beside the root."""
    return doc.getnext() is not None


def _base(doc: Element, url: str) -> str:
    named = next(doc.iter("base"), None)
    base = resolve_url(url, named.get("href", "")) if named is not None else None
    return base if base is not None and base.startswith(("http://", "https://")) else url


def _head(doc: Element) -> dict[str, str]:
    values: dict[str, str] = {}
    for meta in doc.iter("meta"):
        name = (meta.get("property") or meta.get("name") or "").lower()
        if name and name not in values and (value := " ".join(meta.get("content", "").split())):
            values[name] = value
    return values


def _lost(doc: Element, html: bytes) -> str | None:
    """Return why the tree lacks part of the page, if it does: its last node tells where the parser was."""
    node, depth = doc, 0
    while len(node):
        node, depth = node[-1], depth + 1
    if depth >= _MAX_DEPTH:
        return TOO_DEEP
    # behind </html>, comments stand beside the root; a script or comment without an end has this one in it
    reached = doc.getnext() is not None or _LAST in (node.text or "")
    return None if reached or not _WHOLE.search(html) else UNCLOSED
