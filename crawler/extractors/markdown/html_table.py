"""A table that Markdown has no form for, as HTML in one line, which Markdown leaves as it is."""

from __future__ import annotations

import re
from html import escape

from crawler.extractors.links import image_url, link_url, media_url
from crawler.extractors.markdown.code import read_code
from crawler.extractors.markdown.escaping import encoded
from crawler.extractors.tree import Element, attribute

# Any other element leaves what it holds.
TAGS = frozenset(
    ("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th", "ul", "ol", "li")
).union(
    ("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "blockquote", "hr", "br", "details", "summary"),
    ("strong", "b", "em", "i", "del", "s", "strike", "sub", "sup", "q", "code", "kbd", "samp", "tt"),
)
NUMBERS = ("colspan", "rowspan", "start")
EMBEDS = frozenset(("iframe", "video", "audio", "embed"))

_VOID = frozenset(("col", "hr", "br", "img"))
_LINE_ENDS = re.compile(r"\s*\n\s*")


def html(node: Element, base: str, link: str = "") -> str:
    """An element with all that is in it, in one line; `base` is the page's address, `link` the link around it."""
    tag = node.tag
    if tag == "pre":
        code = f"<pre><code>{_escaped(read_code(node)[0])}</code></pre>".replace("\n", "&#10;")
        return code + "".join(html(img, base) for img in node.iter("img"))
    if tag == "img":
        source, alt = image_url(node, base), attribute(node, "alt")
        title = attribute(node, "title")
        return (
            _element("img", "", src=encoded(source), alt=alt, title=title or None)
            if source
            else _escaped(alt)
        )
    if tag in EMBEDS:
        source, title = media_url(node, base), attribute(node, "title")
        video = _element("a", _escaped(title or "Video"), href=encoded(source)) if source else ""
        return f"</a>{video}{link}" if video and link else video
    if tag == "a":
        address, title = link_url(node, base), attribute(node, "title")
        link = _tag("a", href=encoded(address), title=title or None) if address else ""
    inner = _text(node.text)
    for child in node:
        inner += html(child, base, link) + _text(child.tail)
    if tag == "a":
        return f"{link}{inner}</a>" if link and inner else inner
    return _element(tag, inner, **{name: _number(node, name) for name in NUMBERS}) if tag in TAGS else inner


def _element(tag: str, inner: str, **attributes: str | None) -> str:
    opening = _tag(tag, **attributes)
    return opening if tag in _VOID else f"{opening}{inner}</{tag}>"


def _tag(tag: str, **attributes: str | None) -> str:
    named = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return f"<{tag}{named}>"


def _number(node: Element, name: str) -> str | None:
    """An attribute that is a number; None where it is absent, or anything else."""
    value = node.get(name, "").strip()
    return value if value.isdecimal() and value.isascii() else None


def _text(text: str | None) -> str:
    return _LINE_ENDS.sub(" ", _escaped(text)) if text else ""


def _escaped(text: str) -> str:
    return escape(text, quote=False)
