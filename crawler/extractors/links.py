"""Resolve the addresses in a page, and take the list of what to read next out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import cast
from urllib.parse import urljoin

from crawler.errors import UnreadablePage
from crawler.extractors.tree import (
    HEADINGS,
    Element,
    has_class,
    has_content,
    mark_for_removal,
    raw_text,
    remove_marked,
    text_of,
)
from crawler.items import Link
from crawler.urls import is_data_url

# <p><span class="atpl-alsoreadstyle">Also read:</span></p> before <div><ul><li><a href="…">
HEADING_MARK = "atpl-alsoreadstyle"
# <h2>Also read:</h2>, <p><strong>Also Read</strong></p>: a heading without the theme's mark
PLAIN_HEADING = re.compile(r"also read\s*:?", re.I)
PLAIN_HEADING_TAGS = ("p", *HEADINGS)

UNCLOSED = "the quotes of an attribute are never closed, so that it swallows part of the article"

_LIST_TAGS = ("ul", "ol", "div")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")  # a browser reads `java<tab>script:` as javascript:
_OTHER_SCHEME = re.compile(r"(?!https?:|mailto:)[a-z][a-z0-9+.-]*:", re.I)  # some run code, or open programs


def resolve_url(base: str, address: str) -> str | None:
    """Resolve an address in the page at `base`; None where it is neither a web nor a mail address.

    >>> resolve_url("https://a.techidaily.com/b/", " /c d ")
    'https://a.techidaily.com/c%20d'
    >>> resolve_url("https://a.techidaily.com/b/", "JaVa\\tScript:alert(1)") is None
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


def link_url(a: Element, base: str) -> str | None:
    """Return where a link leads: resolved, or as spelled within the article; None for nowhere.

    Raises UnreadablePage where the quotes of one of its attributes are never closed.
    """
    _refuse_unclosed(a)
    href = a.get("href", "").strip()
    return href if href.startswith("#") else resolve_url(base, href) if href else None


def image_url(img: Element, base: str) -> str | None:
    """Return the address of a picture; None where it has none. Raises UnreadablePage as `link_url` does."""
    _refuse_unclosed(img)
    return resolve_image(base, img.get("src", ""))


def resolve_image(base: str, address: str) -> str | None:
    """Resolve the address of a picture in the page at `base`; None where it is a placeholder, or the page itself."""
    source = resolve_url(base, address)
    return source if source and source != base and not is_data_url(source) else None


def media_url(embed: Element, base: str) -> str | None:
    """Return the address of a video, a recording or a frame; None where it has none."""
    address = embed.get("src")
    return resolve_url(base, address.strip()) if address else None


def _refuse_unclosed(node: Element) -> None:
    """Raise where a value has markup and a name has a quote: the value ends where the next one was to begin."""
    names = "".join(cast(list[str], node.keys()))
    if ('"' in names or "'" in names) and any("<" in value for value in node.values()):
        raise UnreadablePage(UNCLOSED)


def cut_also_read(content: Element, base: str) -> list[Link]:
    """Remove the also-read lists and their headings from `content`; return their http(s) links in page order."""
    return [link for find in (_marked_lists, _plain_lists) for link in _cut(content, find(content), base)]


def _cut(content: Element, lists: Iterable[tuple[Element, Element | None]], base: str) -> list[Link]:
    links: list[Link] = []
    pairs = list(lists)  # marking changes what the search would find
    for heading, listing in pairs:
        mark_for_removal(heading)
        if listing is not None:
            links += _links(listing, base)
            mark_for_removal(listing)
    if pairs:
        remove_marked(content)
    return links


def _marked_lists(content: Element) -> Iterator[tuple[Element, Element | None]]:
    for mark in content.iter("span"):
        if has_class(mark, HEADING_MARK):
            heading = _widest_alone(mark, content)
            listing = _neighbour(heading)
            yield heading, listing if listing is not None and listing.tag in _LIST_TAGS else None


def _plain_lists(content: Element) -> Iterator[tuple[Element, Element]]:
    """Yield unmarked headings and their lists: they count only where a list of nothing but links ends the text."""
    for node in content.iter("ul", "ol"):
        if not _only_links(node):
            continue
        listing = _widest_alone(node, content)
        heading = _neighbour(listing, preceding=True)
        if heading is None or heading.tag not in PLAIN_HEADING_TAGS or _neighbour(listing) is not None:
            continue
        if PLAIN_HEADING.fullmatch(text_of(heading)):
            yield heading, listing


def _widest_alone(node: Element, content: Element) -> Element:
    """Return the widest element below `content` that holds nothing but `node`."""
    while (parent := node.getparent()) is not None and parent is not content and _holds_only(parent, node):
        node = parent
    return node


def _holds_only(parent: Element, node: Element) -> bool:
    """Tell whether all text of a parent is that of one child."""
    if (parent.text or "").strip() or (node.tail or "").strip():
        return False
    others = chain(node.itersiblings(), node.itersiblings(preceding=True))
    return not any((other.tail or "").strip() or raw_text(other).strip() for other in others)


def _neighbour(node: Element, *, preceding: bool = False) -> Element | None:
    """Return the next sibling that a reader sees, or the one before."""
    return next(filter(has_content, node.itersiblings(preceding=preceding)), None)


def _only_links(listing: Element) -> bool:
    linked = "".join("".join(map(raw_text, listing.iter("a"))).split())
    return linked != "" and linked == "".join(raw_text(listing).split())


def _links(listing: Element, base: str) -> Iterator[Link]:
    for a in listing.iter("a"):
        href = a.get("href")
        url = resolve_url(base, href) if href else None
        if url is not None and url.startswith(("http://", "https://")):
            yield Link(url=url, text=text_of(a))
