"""Make links to articles of the export lead to their files, and pictures show the copies.

A CommonMark parser decides what a link is: every address that may be one is marked, the marked text is parsed,
and the marks that turn up as targets of links or pictures are replaced. Code and HTML stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from crawler.urls import canonical, host_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore

_WEB = r"(?i:https?)://"
_IN_PARENTHESES = rf"\][(:]\s*(?P<bare>{_WEB}(?:[^<>()\x00-\x20\\]+|\([^<>()\x00-\x20\\]*\))+)"
# Where CommonMark has the address of a link: `[a](<url>)`, `[a](url)` and `[a]: url`, `<url>`.
_IN_ANGLES = rf"{_WEB}[^<>\x00-\x20\\]+?"
_PLACE = re.compile(
    rf"\][(:]\s*(?P<angle><(?P<in_angle>{_IN_ANGLES})>)|{_IN_PARENTHESES}|(?P<auto><(?P<in_auto>{_IN_ANGLES})>)"
)
# The same for a text without `<`, as most are: it takes a tenth of the time, as all begins with one character.
_BARE = re.compile(_IN_PARENTHESES)
# An address whose host is written out, but for upper case and a dot at its end: no port, no user, nothing encoded.
_PLAIN = re.compile(r"https?://([a-z0-9_.-]+)(?:[/?#]|\Z)", re.IGNORECASE | re.ASCII)
# What can reach over a blank line: HTML, fenced code, and definitions; and what a line is by its indent there.
_FAR = re.compile(r"<|```|~~~|\]:|[\t\r]|^ {4}", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n *\n")
_TARGETS = {"link_open": "href", "image": "src"}
"""The tokens of the parser that have a target, and where."""
_LINK, _AUTOLINK, _PICTURE = "", "autolink", "image"
_IN_FRAGMENT = re.compile(r"[\s\"'<>\\^`{|}]|%(?![0-9A-Fa-f]{2})", re.ASCII)
"""Characters that an address has percent-encoded; a fragment that has them could end a program's own tag."""
_SPECIAL = re.compile(r"([\\`*_\[\]&!~|$])")


class Target(NamedTuple):
    """An article of the export, or a picture."""

    path: str
    """Of its file, below the export's folder."""
    address: str
    """On a site that is made of the export: `/HOST/SLUG/`; that of a picture is percent-encoded."""


class _Place(NamedTuple):
    start: int
    end: int
    url: str


def addresses(body: str) -> set[str]:
    """Return the addresses of all links of the text, and perhaps others."""
    if "<" in body:
        return {place.url for place in _places(body)}
    return set(_BARE.findall(body))


def page_on(hosts: Set[str], url: str) -> str | None:
    """Return the canonical address of the page that an address leads to; None if it is on none of the hosts."""
    plain = _PLAIN.match(url)
    if plain and plain[1].lower().rstrip(".") not in hosts:
        return None  # as most are, which this tells at once
    try:
        page = canonical(url)
    except ValueError:
        return None
    return page if host_of(page) in hosts else None


class Forms(NamedTuple):
    """How a flavour writes the targets of links and pictures, and all other text."""

    link: Callable[[Target, str], str]
    """Of the target and the fragment, `#` and all."""
    picture: Callable[[Target], str]
    escape: Callable[[str], str]


def rewrite(body: str, links: Mapping[str, Target], pictures: Mapping[str, Target], forms: Forms) -> str:
    """Return the text with the links and pictures whose addresses have targets, as the forms write them."""
    if not links and not pictures:
        return forms.escape(body)
    places = [place for place in _places(body) if place.url in links or place.url in pictures]
    name = "marked"
    while name in body:
        name += "x"
    marks = [f"https://{name}.invalid/{number}/" for number in range(len(places))]
    linked = _linked(_with(body, zip(places, marks, strict=True)), name)
    targets = {_PICTURE: pictures, _LINK: links, _AUTOLINK: links}
    kept = [
        (place, mark)
        for place, mark in zip(places, marks, strict=True)
        if mark in linked and place.url in targets[linked[mark]]
    ]
    text = forms.escape(_with(body, kept, bare=True))
    for place, mark in kept:
        target = targets[linked[mark]][place.url]
        form = forms.picture(target) if linked[mark] == _PICTURE else forms.link(target, _fragment(place.url))
        address = _SPECIAL.sub(r"\\\1", place.url)
        text = text.replace(mark, f"[{address}]({form})" if linked[mark] == _AUTOLINK else form)
    return text


def _fragment(url: str) -> str:
    """Return the fragment of an address with its `#`; empty where it has none.

    >>> _fragment("https://one.techidaily.com/bread/#it's}}")
    '#it%27s%7D%7D'
    """
    return _IN_FRAGMENT.sub(lambda match: f"%{ord(match[0]):02X}", "".join(url.partition("#")[1:]))


def _places(body: str) -> Iterator[_Place]:
    for match in _PLACE.finditer(body):
        kind = str(match.lastgroup).removeprefix("in_")
        yield _Place(*match.span(kind), match[kind].strip("<>"))


def _with(body: str, marks: Iterable[tuple[_Place, str]], bare: bool = False) -> str:
    """Return the text with marks in the places of addresses, with or without the `<>` around them."""
    parts, at = [], 0
    for place, mark in marks:
        angle = not bare and body[place.start] == "<"
        parts += [body[at : place.start], f"<{mark}>" if angle else mark]
        at = place.end
    return "".join([*parts, body[at:]])


def _linked(text: str, name: str) -> dict[str, str]:
    """Return the targets with the name in them, each with its kind: a link, an autolink or a picture."""
    return {
        str(child.attrs[_TARGETS[child.type]]): child.markup if child.type == "link_open" else _PICTURE
        for part in _parts(text, name)
        for token in _parser().parse(part, {"name": name})
        for child in token.children or ()
        if child.type in _TARGETS
    }


def _parts(text: str, name: str) -> list[str]:
    """Return the parts of the text with the name in them if each means the same alone; else the whole text."""
    return [text] if _FAR.search(text) else [part for part in _BLANK_LINES.split(text) if name in part]


@cache
def _parser() -> MarkdownIt:
    # Few exports need it, and it takes longer to import than all else.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table").disable("text_join")
    parser.core.ruler.at("inline", _inline)
    return parser


def _inline(state: StateCore) -> None:
    """Parse only the blocks that can have a link with the name in its target: blocks take most of the time."""
    name = state.env["name"]
    references = state.env.get("references", {})
    everywhere = any(name in reference["href"] for reference in references.values())
    for token in state.tokens:
        if token.type == "inline" and (everywhere or name in token.content):
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)
