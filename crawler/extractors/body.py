"""Remove what is not the article from a parsed page, in place, and list its pictures."""

from __future__ import annotations

import re
from itertools import chain

from lxml import etree

from crawler.extractors.ads import mark_ads
from crawler.extractors.links import image_url
from crawler.extractors.tree import (
    HEADINGS,
    Element,
    has_ancestor,
    has_class,
    mark_for_removal,
    move_children_after,
    one_line,
    raw_text,
    remove_marked,
)
from crawler.items import Image

# <ins class="adsbygoogle" …></ins>
# <h2 id="x"><a href="#x" class="headerlink" title="x"></a>x</h2>
# <div class="post-copyright-info …">: the licence box, where a theme puts it inside the article
NOISE_CLASS = {"ins": "adsbygoogle", "a": "headerlink", "div": "post-copyright-info"}
# <a href="…">text <i class="fa-regular fa-arrow-up-right-from-square fa-sm"></i></a>
ICON_CLASS = " fa-"
# <img width="0" height="0" data-src="https://imp.pxf.io/i/…">
TRACKER_SIDE = ("0", "0px")
# nothing that a reader reads
MACHINERY = ("script", "style", "noscript", "template", "svg", "canvas", "link", "meta")
# <img lazyload src="/images/loading.svg" data-src="https://real.example/picture.png">
REAL_ADDRESS = ("data-src", "data-original", "data-lazy-src", "src")
# <video><source src="https://real.example/film.mp4"></video>
PLAYERS = ("video", "audio")
# `<source>` and the like have no end tag, which libxml2 does not know: what follows one stands in it
VOID = ("source", "track", "wbr")

_SPACES = " \t\r\n"
_CLOSES = re.compile(r"[.,;:!?)]")


def cut_noise(content: Element) -> None:
    """Remove ads, trackers, scripts, icons and the theme's anchors from an article; set the addresses of media."""
    media = list(content.iter("img", "iframe", "embed", *PLAYERS))
    for node in media:
        _set_address(node)
        if node.tag == "embed":
            move_children_after(node)
    etree.strip_tags(content, *VOID)
    mark_ads(content)
    for node in content.iterdescendants("i", "img", *NOISE_CLASS):
        tag = node.tag
        if tag == "i":
            if _is_icon(node):
                _cut_icon(node)
        elif tag == "img":
            if _is_tracker(node):
                mark_for_removal(node)
        elif has_class(node, NOISE_CLASS[tag]):
            mark_for_removal(node)
    remove_marked(content, etree.Comment, *MACHINERY)
    for node in media:
        if node.tag in PLAYERS:  # what it holds is for browsers that can't play
            node.text = None
            del node[:]


def _set_address(media: Element) -> None:
    """Make the address that a script would load the element's own; a player may have it in a `<source>`."""
    nodes = (media, *media.iter("source")) if media.tag in PLAYERS else (media,)
    addresses = chain.from_iterable(map(node.get, REAL_ADDRESS) for node in nodes)
    address = next(filter(None, addresses), None)
    if address is not None:
        media.set("src", address)


def _is_icon(node: Element) -> bool:
    return ICON_CLASS in f" {node.get('class', '')}" and not raw_text(node).strip(_SPACES)


def _cut_icon(icon: Element) -> None:
    """Remove an icon, and the theme's space between a link's text and it where punctuation follows the link.

    Headings are kept to the letter, as contents and anchors repeat them.
    """
    link, previous = icon.getparent(), icon.getprevious()
    if link is not None and _CLOSES.match(link.tail or "") and not has_ancestor(link, *HEADINGS):
        if previous is not None:
            previous.tail = (previous.tail or "").rstrip()
        else:
            link.text = (link.text or "").rstrip()
    mark_for_removal(icon)


def _is_tracker(img: Element) -> bool:
    return img.get("width") in TRACKER_SIDE or img.get("height") in TRACKER_SIDE


def images(content: Element, base: str) -> list[Image]:
    """List the pictures of an article in page order; `base` is the page's address."""
    return [
        Image(url, one_line(img.get("alt", "")) or None, one_line(img.get("title", "")) or None)
        for img in content.iter("img")
        if (url := image_url(img, base))
    ]
