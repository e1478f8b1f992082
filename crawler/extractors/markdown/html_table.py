"""Write a table that Markdown has no form for as HTML in one line, which Markdown leaves unchanged."""

from __future__ import annotations

import re
from html import escape

from crawler.extractors.links import image_url, link_url, media_url
from crawler.extractors.markdown.code import read_code
from crawler.extractors.markdown.escaping import encode_url
from crawler.extractors.tree import HEADINGS, Element, attribute, unjoinable

# Any other element leaves what it holds.
TAGS = frozenset(HEADINGS).union(
    ("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th", "ul", "ol", "li"),
    ("p", "div", "blockquote", "hr", "br", "details", "summary", "code", "kbd", "samp", "tt"),
    ("strong", "b", "em", "i", "del", "s", "strike", "sub", "sup", "q"),
)
NUMBERS = ("colspan", "rowspan", "start")
EMBEDS = frozenset(("iframe", "video", "audio", "embed"))

_VOID = frozenset(("col", "hr", "br"))
_LINE_ENDS = re.compile(r"\s*\n\s*")


def write_html(node: Element, base: str, link: str = "") -> str:
    """Write an element in one line; `base` is the page's address, `link` the start tag of the link around it."""
    tag = node.tag
    if tag == "pre":
        code = f"<pre><code>{_escaped(read_code(node)[0])}</code></pre>".replace("\n", "&#10;")
        return code + "".join(_picture(img, base) for img in node.iter("img"))
    if tag == "img":
        return _picture(node, base)
    if tag in EMBEDS:
        source, title = media_url(node, base), attribute(node, "title")
        video = f"{_tag('a', href=encode_url(source))}{_escaped(title or 'Video')}</a>" if source else ""
        return f"</a>{video}{link}" if video and link else video
    if tag == "a":
        address, title = link_url(node, base), attribute(node, "title")
        link = _tag("a", href=encode_url(address), title=title or None) if address else ""
    inner = _text(node.text)
    for child in node:
        inner += write_html(child, base, link) + _text(child.tail)
    if tag == "a":
        return f"{link}{inner}</a>" if link and inner else inner
    if tag not in TAGS:
        return inner
    opening = _tag(tag, **{name: _number(node, name) for name in NUMBERS})
    return opening if tag in _VOID else f"{opening}{inner}</{tag}>"


def _picture(img: Element, base: str) -> str:
    source, alt = image_url(img, base), attribute(img, "alt")
    if source is None:
        return _escaped(alt)
    return _tag("img", src=encode_url(source), alt=alt, title=attribute(img, "title") or None)


def _tag(tag: str, **attributes: str | None) -> str:
    named = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return f"<{tag}{named}>"


def _number(node: Element, name: str) -> str | None:
    """Return an attribute that is a number; None where it is absent or anything else."""
    value = node.get(name, "").strip()
    return value if value.isdecimal() and value.isascii() else None


def _text(text: str | None) -> str:
    return _LINE_ENDS.sub(" ", _escaped(text)) if text else ""


def _escaped(text: str) -> str:
    return unjoinable(escape(text, quote=False))  # code begins behind a line break that is not written
