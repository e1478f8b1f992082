"""Markdown to HTML the way that Hexo and the theme write it."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import partial
from html import escape
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

_ICON = ' <i class="fa-regular fa-arrow-up-right-from-square fa-sm"></i>'
_STRING = re.compile(r"&quot;.*?&quot;")
_NOT_WORD = re.compile(r"\W+")
_IMG = re.compile(r'<img(.*?)src="(.*?)"(.*?)>', re.DOTALL)
_LAZY_IMG = (
    r"<img\1\n                     lazyload\n"
    '                     src="/images/loading.svg"\n'
    r'                     data-src="\2"'
    r"\n                     \3\n                >"
)
_WEB_LINK = re.compile(r'<a\s[^<>]*?href="https?://([^/"]+)[^<>]*>')


class Heading(NamedTuple):
    """An entry of the table of contents."""

    level: int
    id: str
    text: str


class Rendered(NamedTuple):
    """The HTML of a post, and its headings."""

    html: str
    headings: list[Heading]


def render(markdown: str, host: str) -> Rendered:
    """The HTML of a post's Markdown on a host, whose own links open in place."""
    env: dict[str, list[Heading]] = {"headings": []}
    html = _IMG.sub(_LAZY_IMG, _markdown.render(markdown, env))
    return Rendered(_WEB_LINK.sub(partial(_open_elsewhere, host), html), env["headings"])


def slug(text: str) -> str:
    """A name as Hexo writes it in addresses and ids: words joined by dashes.

    >>> slug("weekday cooking")
    'weekday-cooking'
    """
    return _NOT_WORD.sub("-", text).strip("-")


def _open_elsewhere(host: str, link: re.Match[str]) -> str:
    if link[1] == host or "target=" in link[0]:
        return link[0]
    return link[0].replace("href=", 'target="_blank" rel="noopener" href=', 1)


# The rules below have the signature that markdown-it calls: renderer, tokens, index, options, environment.
_Env = MutableMapping[str, Any]


def _text(_: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: _Env) -> str:
    return escape(tokens[i].content).replace("/", "&#x2F;")


def _heading(_: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, env: _Env) -> str:
    text = "".join(t.content for t in tokens[i + 1].children or [] if t.type == "text").strip()
    heading = Heading(int(tokens[i].tag[1]), slug(text), text)
    env["headings"].append(heading)
    anchor = f'<a href="#{heading.id}" class="headerlink" title="{escape(text)}"></a>'
    return f'<{tokens[i].tag} id="{heading.id}">{anchor}'


def _link(_: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: _Env) -> str:
    href = escape(str(tokens[i].attrs["href"]))
    if href.startswith("#") or tokens[i + 1].type == "image":
        return f'<a href="{href}">'
    end = next(token for token in tokens[i:] if token.type == "link_close")
    end.meta["icon"] = _ICON
    return f'<a class="link"   href="{href}" >'


def _link_end(_: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: _Env) -> str:
    return f"{tokens[i].meta.get('icon', '')}</a>"


def _code(_: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: _Env) -> str:
    lines = escape(tokens[i].content.rstrip("\n")).split("\n")
    gutter = "".join(f'<span class="line">{number}</span><br>' for number in range(1, len(lines) + 1))
    code = "".join(f'<span class="line">{_STRING.sub(_coloured, line)}</span><br>' for line in lines)
    return (
        f'<figure class="highlight {tokens[i].info}"><table><tr><td class="gutter"><pre>{gutter}</pre></td>'
        f'<td class="code"><pre>{code}</pre></td></tr></table></figure>\n'
    )


def _coloured(string: re.Match[str]) -> str:
    return f'<span class="string">{string[0]}</span>'


_markdown = MarkdownIt("commonmark", {"breaks": True, "xhtmlOut": False}).enable(["table", "strikethrough"])
_RULES = {
    "text": _text,
    "heading_open": _heading,
    "heading_close": lambda _self, tokens, i, _options, _env: f"</{tokens[i].tag}>",
    "link_open": _link,
    "link_close": _link_end,
    "fence": _code,
    "hardbreak": lambda *_: "<br>",
    "s_open": lambda *_: "<del>",
    "s_close": lambda *_: "</del>",
}
for _name, _rule in _RULES.items():
    _markdown.add_render_rule(_name, _rule)
