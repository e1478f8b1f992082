"""Split an article into lines, and find its opening."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from lxml import etree

from crawler.extractors.bylines.avatars import find_avatars, shows_author
from crawler.extractors.bylines.credits import MAX_BIO_CHARACTERS, is_byline_line
from crawler.extractors.tree import HEADINGS, MEDIA, Element, has_content, one_line, raw_text

# <img alt="Publish date" src="date.png"> beside a date
DATE_ICON_ALT = re.compile(
    r"(?:publish(?:ed)?|updated?|post(?:ed)?)?[ _-]?(?:date|time)|calendar|clock", re.I
)

_LINE_TAGS = ("p", *HEADINGS, "li", "div", "td", "th", "figcaption", "blockquote")
_NOT_LINES = frozenset((*_LINE_TAGS, "ul", "ol", "table", "section", "article", "main", "figure", "header"))
_MAX_OPENING_LINES = 80  # an article that was copied with the menu of its site has that above its byline
_MAX_OPENING_WORDS = 120  # in sentences: a summary may stand above a byline, an article may not
_MIN_SENTENCE_WORDS = 12  # a line that has fewer is not taken for a sentence


class Line(NamedTuple):
    """A block of text, or a line of one that line breaks divide."""

    node: Element
    text: str
    avatars: Sequence[Element]

    @property
    def bare(self) -> bool:
        """Tell whether it shows nothing but text, author pictures and the icon of a date."""
        media = self.node.iter(*MEDIA)
        return all(node in self.avatars or DATE_ICON_ALT.fullmatch(node.get("alt", "")) for node in media)


def split_lines(content: Element, avatars: set[Element]) -> Iterator[Line]:
    """Yield the lines of an article from top to bottom, as far as a reader sees anything of them."""
    with_avatars = {ancestor for img in avatars for ancestor in img.iterancestors()}
    for node in content.iterdescendants(*_LINE_TAGS):
        has_children = len(node) > 0
        if has_children and any(child.tag in _NOT_LINES for child in node):
            continue
        for line in _split_at_breaks(node) if has_children else (node,):
            text = raw_text(line)
            if len(text) < MAX_BIO_CHARACTERS:  # of a longer one, only its length matters
                text = one_line(text)
            may_have_avatar = node in with_avatars and has_children
            pictures = [img for img in line.iter("img") if img in avatars] if may_have_avatar else []
            if text or pictures or has_content(line):
                yield Line(line, text, pictures)


def _split_at_breaks(block: Element) -> list[Element]:
    """Make paragraphs of the lines of a paragraph with a byline in it; any other block stays whole."""
    if block.tag != "p" or next(block.iterchildren("br"), None) is None or not _has_byline(block):
        return [block]
    parts = [block]
    for node in list(block):
        if node.tag == "br":
            line = etree.Element("p")
            line.text = node.tail
            block.remove(node)
            parts[-1].addnext(line)
            parts.append(line)
        elif parts[-1] is not block:
            parts[-1].append(node)
    return parts


def opening_lines(lines: Iterator[Line]) -> Iterator[Line]:
    """Yield the lines above the text of the article itself."""
    prose = 0
    for line in islice(lines, _MAX_OPENING_LINES):
        words = line.text.count(" ") + 1
        prose += words if words >= _MIN_SENTENCE_WORDS else 0
        if prose > _MAX_OPENING_WORDS:
            return
        yield line


def _has_byline(block: Element) -> bool:
    """Tell whether a paragraph with breaks has an author's picture, or a line of a byline or of an author's box."""
    if any(map(shows_author, find_avatars(block))):
        return True
    texts = [block.text or "", *(br.tail or "" for br in block.iterchildren("br"))]
    return any(is_byline_line(one_line(text)) for text in texts if len(text) < MAX_BIO_CHARACTERS)
