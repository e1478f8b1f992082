"""Remove the ads in an article, which stand between two comments."""

from __future__ import annotations

from typing import cast

from lxml import etree

from crawler.extractors.tree import Element, mark_for_removal

# <!-- affiliate ads begin --><p><a href="…"><img …></a></p><!-- affiliate ads end -->
AD_BEGINS, AD_ENDS = "affiliate ads begin", "affiliate ads end"

_MAX_AD_WORDS = 300  # what is longer stands between comments that do not belong together


def mark_ads(content: Element) -> None:
    """Mark what stands between the two comments of each ad for removal.

    An ad may close what is open around it and leave open what it began, so that its comments have two parents. What
    began before it or goes on behind it stays, without its part in the ad. A beginning without an end of its own
    begins no ad, and more than 300 words are not an ad but the article's.
    """
    begin = None
    for comment in content.iter(etree.Comment):
        text = comment.text or ""
        if AD_BEGINS in text:
            begin = comment
        elif AD_ENDS in text:
            if begin is not None:
                _mark_ad(begin, comment)
            begin = None


def _mark_ad(begin: Element, end: Element) -> None:
    """Mark all between two comments; each step from one to the other costs the same, however large the page is."""
    ended: list[Element] = []  # elements and comments that end in the ad
    followed: list[Element] = [begin]  # whatever ends in the ad: the text after it is the ad's
    opened: list[Element] = []  # elements of the ad that have not ended yet, the outermost first
    node = begin
    while True:
        following = node.getnext()
        if following is None:  # its parent ends here
            node = cast(Element, node.getparent())
            if opened:
                ended.append(opened.pop())
            followed.append(node)
            continue
        node = following
        while node is not end and len(node):
            opened.append(node)
            node = node[0]
        if node is end:
            break
        ended.append(node)
        followed.append(node)
    ended = [node for node in ended if isinstance(node.tag, str)]  # comments are nobody's text
    elements = (*ended, *opened)
    texts = [*(node.text or "" for node in elements), *(node.tail or "" for node in followed)]
    if sum(len(text.split()) for text in texts) > _MAX_AD_WORDS:
        return
    for node in followed:
        node.tail = None
    for node in opened:  # what stands in it behind the ad is neither linked nor emphasised by it
        node.text = None
        node.attrib.clear()
        node.tag = "div"
    mark_for_removal(*ended)
