"""Addresses in a page, and the list of what to read next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import cast
from urllib.parse import urljoin

from crawler.errors import UnreadablePage
from crawler.extractors.tree import Element, has_class, mark_cut, raw_text, says_something, sweep, text_of
from crawler.items import Link

# <p><span class="atpl-alsoreadstyle">Also read:</span></p> before <div><ul><li><a href="…">
HEADING_MARK = "atpl-alsoreadstyle"
# <h2>Also read:</h2>, <p><strong>Also Read</strong></p>: a heading without the theme's mark
PLAIN_HEADING = re.compile(r"also read\s*:?", re.I)
PLAIN_HEADING_TAGS = ("p", "h1", "h2", "h3", "h4", "h5", "h6")

UNCLOSED = "the quotes of an attribute are never closed, so that it swallows part of the article"

_LIST_TAGS = ("ul", "ol", "div")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")  # a browser reads `java<tab>script:` as javascript:
_OTHER_SCHEME = re.compile(r"(?!https?:|mailto:)[a-z][a-z0-9+.-]*:", re.I)  # some run code, or open programs


def absolute(base: str, address: str) -> str | None:
    """Where a link or a picture of the page at `base` points; None where it is no address of the web or of a person.

    >>> absolute("https://a.techidaily.com/b/", " /c d ")
    'https://a.techidaily.com/c%20d'
    >>> absolute("https://a.techidaily.com/b/", "JaVa\\tScript:alert(1)") is None
    True
    """
    if not address.isprintable() or " " in address:
        address = _CONTROLS.sub("", address).strip().replace(" ", "%20")
    if address.startswith(("https://", "http://")) and "[" not in address:
        return address  # most are, and joining is slow
    if _OTHER_SCHEME.match(address):
        return None
    try:
        return urljoin(base, address)
    except ValueError:
        return None


def is_inline(address: str) -> bool:
    """Whether an address is that of no file but the data itself, as a placeholder's; some have a page's before it.

    >>> is_inline("https://a.techidaily.com/data:image/gif;base64,R0lGOD")
    True
    """
    return address.startswith("data:") or "data:image" in address


def leads_to(a: Element, base: str) -> str | None:
    """Where a link in an article leads, a place in the article itself as it is; None for nowhere.

    Raises UnreadablePage where an attribute of it is never closed.
    """
    _refuse_unclosed(a)
    href = a.get("href", "").strip()
    return href if href.startswith("#") else absolute(base, href) if href else None


def shows(img: Element, base: str) -> str | None:
    """The address of a picture; None where it has none. Raises UnreadablePage as `leads_to` does."""
    _refuse_unclosed(img)
    source = absolute(base, img.get("src", ""))
    return source if source and source != base and not is_inline(source) else None


def plays(embed: Element, base: str) -> str | None:
    """The address of a video, a recording or a frame; None where it has none."""
    address = embed.get("src")
    return absolute(base, address.strip()) if address else None


def _refuse_unclosed(node: Element) -> None:
    """Raise where a value has markup and a name has a quote: the value ends where the next one was to begin."""
    names = "".join(cast(list[str], node.keys()))
    if ('"' in names or "'" in names) and any("<" in value for value in node.values()):
        raise UnreadablePage(UNCLOSED)


def cut_also_read(content: Element, base: str) -> list[Link]:
    """Take the also-read lists with their headings out of `content`; give their http(s) links in page order."""
    return [link for find in (_marked, _unmarked) for link in _cut(content, find(content), base)]


def _cut(content: Element, found: Iterable[tuple[Element, Element | None]], base: str) -> list[Link]:
    links: list[Link] = []
    parts = list(found)
    for heading, listing in parts:
        mark_cut(heading)
        if listing is not None:
            links += _links(listing, base)
            mark_cut(listing)
    if parts:
        sweep(content)
    return links


def _marked(content: Element) -> Iterator[tuple[Element, Element | None]]:
    for mark in content.iter("span"):
        if not has_class(mark, HEADING_MARK):
            continue
        heading = _alone(mark, content)
        following = _next(heading)
        yield heading, following if following is not None and following.tag in _LIST_TAGS else None


def _unmarked(content: Element) -> Iterator[tuple[Element, Element]]:
    """A heading without the mark counts only before a list of nothing but links that ends the text."""
    for node in content.iter("ul", "ol"):
        if not _only_links(node):
            continue
        listing = _alone(node, content)
        heading = _previous(listing)
        if heading is None or heading.tag not in PLAIN_HEADING_TAGS or _next(listing) is not None:
            continue
        if PLAIN_HEADING.fullmatch(text_of(heading)):
            yield heading, listing


def _alone(node: Element, content: Element) -> Element:
    """The widest element below `content` that holds nothing but `node`."""
    while (parent := node.getparent()) is not None and parent is not content and _holds_only(parent, node):
        node = parent
    return node


def _holds_only(parent: Element, node: Element) -> bool:
    """Whether all text of a parent is that of one child."""
    if (parent.text or "").strip() or (node.tail or "").strip():
        return False
    others = chain(node.itersiblings(), node.itersiblings(preceding=True))
    return not any((other.tail or "").strip() or raw_text(other).strip() for other in others)


def _next(node: Element) -> Element | None:
    """The next element beside a node that says something."""
    return next(filter(says_something, node.itersiblings()), None)


def _previous(node: Element) -> Element | None:
    return next(filter(says_something, node.itersiblings(preceding=True)), None)


def _only_links(listing: Element) -> bool:
    linked = "".join("".join(map(raw_text, listing.iter("a"))).split())
    return linked != "" and linked == "".join(raw_text(listing).split())


def _links(listing: Element, base: str) -> Iterator[Link]:
    for a in listing.iter("a"):
        href = a.get("href")
        url = absolute(base, href) if href else None
        if url is not None and url.startswith(("http://", "https://")):
            yield Link(url=url, text=text_of(a))
