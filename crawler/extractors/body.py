"""What of a page is the article: everything else is cut from the parsed page, in place."""

from __future__ import annotations

import re

from lxml import etree

from crawler.extractors.links import absolute
from crawler.extractors.tree import (
    Element,
    has_class,
    mark_cut,
    raw_text,
    set_text_before,
    sweep,
    text_before,
)
from crawler.items import Image

# <!-- affiliate ads begin --><p><a href="…"><img …></a></p><!-- affiliate ads end -->
AD_BEGINS, AD_ENDS = "affiliate ads begin", "affiliate ads end"
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

_SPACES = " \t\r\n"
_CLOSES = re.compile(r"[.,;:!?)]")
_LONGEST_AD = 300  # words; what is longer stands between comments that do not belong together


def cut_noise(content: Element) -> None:
    """Cut ads, trackers, scripts, icons and the theme's anchors out of an article; give lazy media their address."""
    for node in content.iterdescendants(etree.Comment, "i", "img", *NOISE_CLASS):
        tag = node.tag
        if isinstance(node, etree._Comment):
            if AD_BEGINS in (node.text or ""):
                _cut_ad(node)
        elif tag == "i":
            if _is_icon(node):
                _cut_icon(node)
        elif tag == "img":
            if _is_tracker(node):
                mark_cut(node)
        elif tag in NOISE_CLASS and has_class(node, NOISE_CLASS[tag]):  # an ad may have taken it along by now
            mark_cut(node)
    etree.strip_elements(content, etree.Comment, *MACHINERY, with_tail=False)
    sweep(content)
    for media in content.iter("img", "iframe", "video", "source", "audio", "embed"):
        real = next(filter(None, map(media.get, REAL_ADDRESS)), None)
        if real is not None:
            media.set("src", real)


def _is_icon(node: Element) -> bool:
    return ICON_CLASS.search(node.get("class", "")) is not None and not raw_text(node).strip(_SPACES)


def _cut_icon(icon: Element) -> None:
    link = icon.getparent()
    if link is not None and _CLOSES.match(link.tail or ""):  # the theme's space parts text and icon
        set_text_before(icon, text_before(icon).rstrip())
    mark_cut(icon)


def _is_tracker(img: Element) -> bool:
    return img.get("width") in TRACKER_SIDE or img.get("height") in TRACKER_SIDE


def _cut_ad(begin: Element) -> None:
    """Cut what stands between a comment and the one that ends the ad, unless that would take the article along."""
    between = []
    for node in begin.itersiblings():
        if isinstance(node, etree._Comment):
            if AD_ENDS in (node.text or ""):
                break
            if AD_BEGINS in (node.text or ""):
                return
        between.append(node)
    else:
        return
    elements = [node for node in between if not isinstance(node, etree._Comment)]
    if sum(len(raw_text(node).split()) for node in elements) > _LONGEST_AD:
        return
    for node in (begin, *between):
        node.tail = None
    mark_cut(*elements)


def images(content: Element, base: str) -> list[Image]:
    """The pictures of an article in page order; `base` is the page's address."""
    return [
        Image(url=url, alt=_words(img, "alt"), title=_words(img, "title"))
        for img in content.iter("img")
        if img.get("src") and (url := absolute(base, img.get("src", "")))
    ]


def _words(img: Element, attribute: str) -> str | None:
    return " ".join(img.get(attribute, "").split()) or None
