"""Split an article into lines, and find where it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from lxml import etree

from crawler.extractors.bylines.avatars import find_avatars, shows_author
from crawler.extractors.bylines.credits import LONGEST_BIO, is_of_byline
from crawler.extractors.tree import Element, one_line, raw_text, says_something

# <img alt="Publish date" src="date.png"> beside a date
DATE_ICON_ALT = re.compile(
    r"(?:publish(?:ed)?|updated?|post(?:ed)?)?[ _-]?(?:date|time)|calendar|clock", re.I
)

_LINE_TAGS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "div", "td", "th", "figcaption", "blockquote")
_NOT_LINES = frozenset((*_LINE_TAGS, "ul", "ol", "table", "section", "article", "main", "figure", "header"))
_OPENING_LINES = 80  # an article that was copied with the menu of its site has that above its byline
_OPENING_PROSE = 120  # words in sentences: a summary may stand above a byline, an article may not
_PROSE = 12  # words of a line that is taken for sentences


class Line(NamedTuple):
    """A block of text, or a line of one that breaks part."""

    node: Element
    text: str
    avatars: Sequence[Element]

    @property
    def bare(self) -> bool:
        """Whether it shows nothing but text, author pictures and the icon of a date."""
        media = list(self.node.iter("img", "iframe", "video"))
        return all(one in self.avatars or DATE_ICON_ALT.fullmatch(one.get("alt", "")) for one in media)


def split_lines(content: Element, avatars: set[Element]) -> Iterator[Line]:
    """What stands one below the other in an article, as far as it says or shows something."""
    for node in content.iterdescendants(*_LINE_TAGS):
        if any(child.tag in _NOT_LINES for child in node):
            continue
        for line in _parted(node):
            text = raw_text(line)
            if len(text) < LONGEST_BIO:  # what is longer is read as no more than that
                text = one_line(text)
            pictures = [img for img in line.iter("img") if img in avatars] if avatars else []
            if text or pictures or says_something(line):
                yield Line(line, text, pictures)


def _parted(block: Element) -> list[Element]:
    """A block; a paragraph whose breaks part bylines from each other or from text, as the paragraphs of its lines."""
    if block.tag != "p" or block.find("br") is None or not _speaks_of_author(block):
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


def opening_of(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines down to where the article itself has begun."""
    prose = 0
    for line in islice(lines, _OPENING_LINES):
        words = line.text.count(" ") + 1
        prose += words if words >= _PROSE else 0
        if prose > _OPENING_PROSE:
            return
        yield line


def _speaks_of_author(block: Element) -> bool:
    """Whether a paragraph with breaks has an author's picture, or a line that is of a byline or a box."""
    if any(map(shows_author, find_avatars(block))):
        return True
    texts = [block.text or "", *(br.tail or "" for br in block.iterchildren("br"))]
    return any(is_of_byline(one_line(text)) for text in texts if len(text) < LONGEST_BIO)
