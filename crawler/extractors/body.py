"""What of a page is the article: everything else is cut from the parsed page, in place."""

from __future__ import annotations

import re

from lxml import etree

from crawler.extractors.ads import mark_ads
from crawler.extractors.links import shows
from crawler.extractors.tree import (
    Element,
    empty_out,
    has_class,
    mark_cut,
    raw_text,
    set_text_before,
    sweep,
    text_before,
)
from crawler.items import Image

# <ins class="adsbygoogle" …></ins>
# <h2 id="x"><a href="#x" class="headerlink" title="x"></a>x</h2>
# <div class="post-copyright-info …">: the licence box, where a theme puts it inside the article
NOISE_CLASS = {"ins": "adsbygoogle", "a": "headerlink", "div": "post-copyright-info"}
# <a href="…">text <i class="fa-regular fa-arrow-up-right-from-square fa-sm"></i></a>
ICON_CLASS = re.compile(r"(?:\A| )fa-")
# <img width="0" height="0" data-src="https://imp.pxf.io/i/…">
TRACKER_SIDE = ("0", "0px")
# nothing that a reader reads
MACHINERY = ("script", "style", "noscript", "template", "svg", "canvas", "link", "meta")
# <img lazyload src="/images/loading.svg" data-src="https://real.example/picture.png">
REAL_ADDRESS = ("data-src", "data-original", "data-lazy-src", "src")
# `<source>` and the like have no end tag, which libxml2 does not know: what follows one stands in it
VOID = ("source", "track", "wbr")

_SPACES = " \t\r\n"
_CLOSES = re.compile(r"[.,;:!?)]")


def cut_noise(content: Element) -> None:
    """Cut ads, trackers, scripts, icons and the theme's anchors out of an article; give media their address."""
    for media in content.iter("img", "iframe", "video", "audio", "embed"):
        _set_address(media)
        if media.tag == "embed":
            empty_out(media)
    etree.strip_tags(content, *VOID)
    mark_ads(content)
    for node in content.iterdescendants("i", "img", *NOISE_CLASS):
        tag = node.tag
        if tag == "i":
            if _is_icon(node):
                _cut_icon(node)
        elif tag == "img":
            if _is_tracker(node):
                mark_cut(node)
        elif has_class(node, NOISE_CLASS[tag]):
            mark_cut(node)
    etree.strip_elements(content, etree.Comment, *MACHINERY, with_tail=False)
    sweep(content)
    for player in list(content.iter("video", "audio")):  # what stands in it is for browsers that can't play
        player.text = None
        del player[:]


def _set_address(media: Element) -> None:
    real = _address(media)
    if real is None and media.tag in ("video", "audio"):
        real = next(filter(None, map(_address, media.iter("source"))), None)
    if real is not None:
        media.set("src", real)


def _address(media: Element) -> str | None:
    return next(filter(None, map(media.get, REAL_ADDRESS)), None)


def _is_icon(node: Element) -> bool:
    return ICON_CLASS.search(node.get("class", "")) is not None and not raw_text(node).strip(_SPACES)


def _cut_icon(icon: Element) -> None:
    link = icon.getparent()
    if link is not None and _CLOSES.match(link.tail or "") and not _in_heading(link):
        set_text_before(icon, text_before(icon).rstrip())  # the theme's space parts text and icon
    mark_cut(icon)


def _in_heading(link: Element) -> bool:
    """Whether a link stands in a heading, which is kept to the letter, as contents and anchors repeat it."""
    return next(link.iterancestors("h1", "h2", "h3", "h4", "h5", "h6"), None) is not None


def _is_tracker(img: Element) -> bool:
    return img.get("width") in TRACKER_SIDE or img.get("height") in TRACKER_SIDE


def images(content: Element, base: str) -> list[Image]:
    """The pictures of an article in page order; `base` is the page's address."""
    return [
        Image(url=url, alt=_words(img, "alt"), title=_words(img, "title"))
        for img in content.iter("img")
        if (url := shows(img, base))
    ]


def _words(img: Element, attribute: str) -> str | None:
    return " ".join(img.get(attribute, "").split()) or None
