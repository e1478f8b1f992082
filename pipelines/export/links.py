"""Links in a text to articles of the export, made links between files.

What is a link is for a CommonMark parser to say: every address that may be one is marked, the marked text is
parsed, and the marks that turn up as targets of links are replaced. Code, pictures and HTML stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from hashlib import blake2b
from typing import NamedTuple

from markdown_it import MarkdownIt

from crawler.urls import canonical, host_of

_WEB = r"https?://[^\s<>\x00-\x1f\\]"
# Where CommonMark has the address of a link: `[a](<url>)`, `[a](url)` and `[a]: url`, `<url>`.
_PLACE = re.compile(
    rf"(?:\]\(|\]:)\s*(?P<angle><(?P<in_angle>{_WEB}+?)>)"
    rf"|(?:\]\(|\]:)\s*(?P<bare>https?://(?:[^\s<>()\x00-\x1f\\]|\([^\s<>()\x00-\x1f\\]*\))+)"
    rf"|(?P<auto><(?P<in_auto>{_WEB}+?)>)",
    re.IGNORECASE,
)
_HOST = re.compile(r"://([\w.:-]*)")
_SPECIAL = re.compile(r"([\\`*_\[\]&!~|$])")


class Target(NamedTuple):
    """An article of the export."""

    path: str
    """Of its file, below the export's folder."""
    address: str
    """On a site that is made of the export: `/HOST/SLUG/`."""


class _Place(NamedTuple):
    start: int
    end: int
    url: str
    automatic: bool


def key(url: str) -> int:
    """What stands for a canonical address: 64 bits of a hash, as SQLite takes them."""
    return int.from_bytes(blake2b(url.encode(), digest_size=8).digest(), signed=True)


def mentioned(body: str, hosts: Set[str]) -> Iterator[tuple[_Place, int]]:
    """Where the text may link to a page of the hosts, and the key of that page."""
    if hosts.isdisjoint(map(str.lower, _HOST.findall(body))):
        return  # the usual case
    for found in _PLACE.finditer(body):
        kind = str(found.lastgroup).removeprefix("in_")
        url = found[kind].strip("<>")
        try:
            page = canonical(url)
        except ValueError:
            continue
        if host_of(page) in hosts:
            yield _Place(*found.span(kind), url, kind == "auto"), key(page)


def rewrite(
    body: str,
    places: list[tuple[_Place, Target]],
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
    linked = _linked(_with(body, [(place, mark) for (place, _), mark in zip(places, marks, strict=True)]))
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


def _with(body: str, marks: list[tuple[_Place, str]], bare: bool = False) -> str:
    """The text with marks in the places of addresses, with or without the `<>` round them."""
    parts, at = [], 0
    for place, mark in marks:
        angle = not bare and body[place.start] == "<"
        parts += [body[at : place.start], f"<{mark}>" if angle else mark]
        at = place.end
    return "".join([*parts, body[at:]])


def _linked(text: str) -> set[str]:
    """The targets of all links of a text."""
    parser = MarkdownIt("commonmark").enable("table")
    return {
        str(child.attrs["href"])
        for token in parser.parse(text)
        for child in token.children or ()
        if child.type == "link_open"
    }
