"""Render an article's Markdown as HTML that a browser may get.

The sanitiser comes last: whatever a body or the renderer makes, only the elements and attributes below pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lxml.html
import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_HIGHEST_LEVEL = 2
"""Level of a body's first headings: above them stands the article's title."""
_LOWEST_LEVEL = 6
_ADDRESS = re.compile(r"https?:|mailto:|#", re.IGNORECASE)
"""How an address begins that a link may have: no path of this server."""
_IMAGE = re.compile(r"""<img\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
_WIDE = '<div class="wide" tabindex="0" role="region" aria-label="Table">'
"""What a table scrolls in, also by keyboard, where it is wider than the page."""
_ELEMENTS = """
    a abbr b blockquote br caption code col colgroup dd del details div dl dt em h2 h3 h4 h5 h6 hr i img ins kbd li ol
    p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr tt ul var"""
_TAGS = frozenset(_ELEMENTS.split())
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "span": {"title"},
}
_VALUES = {
    "div": {"class": {"wide"}, "tabindex": {"0"}, "role": {"region"}, "aria-label": {"Table"}},
    "pre": {"tabindex": {"0"}},
    "span": {"class": {"missing", "caption"}},
    "img": {"loading": {"lazy"}},
}


class Body:
    """A body that was parsed, so that what its addresses lead to can be looked up before it is rendered."""

    def __init__(self, markdown: str) -> None:
        self._reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
        for name, rule in _RULES.items():
            self._reader.add_render_rule(name, rule)
        self._tokens = self._reader.parse(markdown)
        _shift_headings(self._tokens)

    @property
    def links(self) -> set[str]:
        """Addresses that it links to, without their fragments."""
        children = (child for token in self._tokens for child in token.children or ())
        hrefs = (str(child.attrs["href"]) for child in children if child.type == "link_open")
        return {_without_fragment(href) for href in hrefs}

    def html(self, pages: Mapping[str, str], copies: Mapping[str, str]) -> str:
        """Return its HTML: links to archived articles lead to our pages, and only copies of images are shown.

        `pages`: our pages by the addresses that link to them; `copies`: our copies by the images' addresses.
        """

        def allow(_: str, attribute: str, value: str) -> str | None:
            if attribute == "src":
                return value if value in copies.values() else None
            if attribute == "href":
                return pages.get(_without_fragment(value)) or (value if _ADDRESS.match(value) else None)
            return value

        html: str = self._reader.renderer.render(self._tokens, self._reader.options, {"copies": copies})
        return nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            tag_attribute_values=_VALUES,
            attribute_filter=allow,
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer",
        )


def _without_fragment(url: str) -> str:
    return url.partition("#")[0]


def _shift_headings(tokens: Sequence[Token]) -> None:
    """Move the levels of headings, so that the highest one is just below that of the page's title."""
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    highest = min((int(token.tag[1:]) for token in headings), default=_HIGHEST_LEVEL)
    for token in headings:
        token.tag = f"h{min(int(token.tag[1:]) - highest + _HIGHEST_LEVEL, _LOWEST_LEVEL)}"


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Mapping[str, Any]
) -> str:
    token = tokens[index]
    alt = renderer.renderInlineAsText(token.children or [], options, dict(env))
    return _copy_or_placeholder(
        str(token.attrs["src"]), alt, str(token.attrs.get("title", "")), env["copies"]
    )


def _copy_or_placeholder(source: str, alt: str, title: str, copies: Mapping[str, str]) -> str:
    """Return the element of an image, or of a text in its place."""
    if copy := copies.get(source):
        caption = f' title="{escapeHtml(title)}"' if title else ""
        return f'<img src="{escapeHtml(copy)}" alt="{escapeHtml(alt)}"{caption} loading="lazy">'
    caption = '<span class="caption">Image without a copy</span>'
    return f'<span class="missing" title="{escapeHtml(source)}">{caption} {escapeHtml(alt)}</span>'


def _html(content: str, copies: Mapping[str, str]) -> str:
    """Return HTML of a body with its images as copies or placeholders."""

    def replace(tag: re.Match[str]) -> str:
        image = lxml.html.fragment_fromstring(tag[0], create_parent="div").find("img")
        source, alt, title = (
            "" if image is None else image.get(name, "") for name in ("src", "alt", "title")
        )
        return _copy_or_placeholder(source, alt, title, copies)

    return _IMAGE.sub(replace, content)


def _code(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f'<pre tabindex="0"><code>{escapeHtml(tokens[index].content)}</code></pre>\n'


def _table_open(*_: Any) -> str:
    return f"{_WIDE}<table>\n"


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _html_inline(
    _: RendererHTML, tokens: Sequence[Token], index: int, __: Any, env: Mapping[str, Any]
) -> str:
    return _html(tokens[index].content, env["copies"])


def _html_block(_: RendererHTML, tokens: Sequence[Token], index: int, __: Any, env: Mapping[str, Any]) -> str:
    content = _html(tokens[index].content, env["copies"])
    return f"{_WIDE}{content}</div>\n" if content.startswith("<table") else content


_RULES: dict[str, Callable[..., str]] = {
    "image": _image,
    "fence": _code,
    "code_block": _code,
    "table_open": _table_open,
    "table_close": _table_close,
    "html_block": _html_block,
    "html_inline": _html_inline,
}
