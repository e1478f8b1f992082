"""Links in a text to articles of the export, made links between files.

What is a link is for a CommonMark parser to say: every address that may be one is marked, the marked text is
parsed, and the marks that turn up as targets of links are replaced. Code, pictures and HTML stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from functools import cache, lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from crawler.urls import canonical, host_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore

_WEB = r"https?://[^\s<>\x00-\x1f\\]"
# Where CommonMark has the address of a link: `[a](<url>)`, `[a](url)` and `[a]: url`, `<url>`.
_BARE = r"\][(:]\s*(?P<bare>https?://(?:[^\s<>()\x00-\x1f\\]+|\([^\s<>()\x00-\x1f\\]*\))+)"
_PLACE = re.compile(
    rf"\][(:]\s*(?P<angle><(?P<in_angle>{_WEB}+?)>)|{_BARE}|(?P<auto><(?P<in_auto>{_WEB}+?)>)",
    re.IGNORECASE,
)
_PLACE_WITHOUT_ANGLES = re.compile(_BARE, re.IGNORECASE)
"""The same in a text without `<`, as most are: this takes a tenth of the time, as it begins with one character."""
_HOST = re.compile(r"://([\w.:-]*)")
# An address whose host is written out, but for upper case and a dot at its end: no port, no user, nothing encoded.
_PLAIN = re.compile(r"https?://([a-z0-9_.-]+)(?:[/?#]|\Z)", re.IGNORECASE | re.ASCII)
_SPECIAL = re.compile(r"([\\`*_\[\]&!~|$])")


class Target(NamedTuple):
    """An article of the export."""

    path: str
    """Of its file, below the export's folder."""
    address: str
    """On a site that is made of the export: `/HOST/SLUG/`."""


class Place(NamedTuple):
    """Where in a text an address stands that a link may have."""

    start: int
    end: int
    url: str
    automatic: bool


def key(url: str) -> int:
    """What stands for a canonical address: 64 bits of a hash, as SQLite takes them."""
    return int.from_bytes(blake2b(url.encode(), digest_size=8).digest(), signed=True)


def mentioned(body: str, hosts: Set[str]) -> Iterator[tuple[Place, int]]:
    """Where the text may link to a page of the hosts, and the key of that page."""
    if hosts.isdisjoint(map(str.lower, _HOST.findall(body))):
        return  # the usual case
    for found in (_PLACE if "<" in body else _PLACE_WITHOUT_ANGLES).finditer(body):
        kind = str(found.lastgroup).removeprefix("in_")
        url = found[kind].strip("<>")
        plain = _PLAIN.match(url)
        if plain and plain[1].lower().rstrip(".") not in hosts:
            continue  # to be sure of that takes no more
        page = _page(url)
        if page and page[0] in hosts:
            yield Place(*found.span(kind), url, kind == "auto"), page[1]


@lru_cache(8192)
def _page(url: str) -> tuple[str, int] | None:
    """The host of an address, and the key of its page; articles tend to name the same ones."""
    try:
        page = canonical(url)
    except ValueError:
        return None
    return host_of(page), key(page)


def rewrite(
    body: str,
    places: list[tuple[Place, Target]],
    link: Callable[[Target, str], str],
    escape: Callable[[str], str],
) -> str:
    """The text with its links to those targets as `link` has them, and all else as `escape` has it.

    `link` gets the target and the fragment, `#` and all, and gives what stands in the parentheses of a link.
    """
    if not places:
        return escape(body)
    name = "marked"
    while name in body:
        name += "x"
    marks = [f"https://{name}.invalid/{number}/" for number in range(len(places))]
    marked = _with(body, [(place, mark) for (place, _), mark in zip(places, marks, strict=True)])
    linked = _linked(marked, name)
    kept, forms = [], {}
    for (place, target), mark in zip(places, marks, strict=True):
        if mark in linked:
            form = link(target, "".join(place.url.partition("#")[1:]))
            text = _SPECIAL.sub(r"\\\1", place.url)
            forms[mark] = f"[{text}]({form})" if place.automatic else form
            kept.append((place, mark))
    text = escape(_with(body, kept, bare=True))
    for mark, form in forms.items():
        text = text.replace(mark, form)
    return text


def _with(body: str, marks: list[tuple[Place, str]], bare: bool = False) -> str:
    """The text with marks in the places of addresses, with or without the `<>` round them."""
    parts, at = [], 0
    for place, mark in marks:
        angle = not bare and body[place.start] == "<"
        parts += [body[at : place.start], f"<{mark}>" if angle else mark]
        at = place.end
    return "".join([*parts, body[at:]])


def _linked(text: str, name: str) -> set[str]:
    """The targets of the text's links that have the name in them."""
    env = {"name": name}
    return {
        str(child.attrs["href"])
        for token in _parser().parse(text, env)
        for child in token.children or ()
        if child.type == "link_open"
    }


@cache
def _parser() -> MarkdownIt:
    # Few exports need it, and it takes longer to import than all else.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table").disable("text_join")
    parser.core.ruler.at("inline", _inline)
    return parser


def _inline(state: StateCore) -> None:
    """Parses the blocks that can have a link with the name in its target: inside of blocks most of the time goes."""
    name = state.env["name"]
    references = state.env.get("references", {})
    everywhere = any(name in reference["href"] for reference in references.values())
    for token in state.tokens:
        if token.type == "inline" and (everywhere or name in token.content):
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)
