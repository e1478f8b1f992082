"""Who wrote an article, where the article itself says so.

Articles of one family open with a picture of the author, the name as a heading and a line with the date, and end with
the picture, the name, a line about the person and "Follow @name". A page can hold several such articles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

from crawler.extractors.tree import Element, mark_cut, raw_text, says_something, sweep, text_of

# <img alt="author avatar">
AVATAR_ALT = re.compile(r"author[\s_-]*avatar", re.I)
# "Mar 27, 2024• Proven solutions"; below a picture and a name the date alone will do
DATE_LINE = re.compile(r"[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}(?: ?[•·|] ?[\w ]{0,40})?")
PROVEN_LINE = re.compile(r"(?:[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4} ?)?[•·|] ?Proven solutions", re.I)
# "Follow @Liza Brown"
FOLLOW_LINE = re.compile(r"Follow @ ?(\S.{0,60})", re.I)
# "Liza Brown", "J. R. O'Neill": a few words that end no sentence
NAME = re.compile(r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,4}")

_EVIDENCE = ("proven solutions", "follow @")
_WRAPPERS = ("div", "section", "article", "main")
_LINES = 5  # a byline or box is a picture and at most four lines
_BIO = 400  # characters; what is said of a person is one line


def cut_byline(content: Element) -> str | None:
    """Take bylines and "Follow" boxes out of `content`; give the first name that they hold."""
    text = raw_text(content).casefold()
    if not any(evidence in text for evidence in _EVIDENCE) and not _avatars(content):
        return None
    blocks = _blocks(content)
    lines = [text_of(block) for block in blocks]
    names: list[str] = []
    cut: set[int] = set()
    for at, block in enumerate(blocks):
        if pictures := _avatars(block):
            end = _end(lines, at, names)
            names += [text for text in lines[at : end + 1] if NAME.fullmatch(text)][:1]
            mark_cut(*pictures)
            if end > at or not lines[at] or lines[at] in names:
                cut.update(range(at, end + 1))
    for at, text in enumerate(lines):
        if at not in cut and (follow := FOLLOW_LINE.fullmatch(text)):
            start = _box_start(lines, at, follow[1])
            if start < at or follow[1] in names:
                names.append(follow[1])
                cut.update(range(start, at + 1))
    for at, text in enumerate(lines):
        if at not in cut and PROVEN_LINE.fullmatch(text):
            cut.update(range(at - (at > 0 and lines[at - 1] in names), at + 1))
    mark_cut(*(blocks[at] for at in cut))
    sweep(content)
    return names[0] if names else None


def _end(lines: Sequence[str], at: int, names: Sequence[str]) -> int:
    """The last line of the byline or box that the picture at `at` opens; `at` itself where none follows."""
    for end in range(at, min(at + _LINES, len(lines))):
        above = [text for text in lines[at:end] if text]
        if DATE_LINE.fullmatch(lines[end]) or PROVEN_LINE.fullmatch(lines[end]):
            return end if all(map(NAME.fullmatch, above)) else at
        if follow := FOLLOW_LINE.fullmatch(lines[end]):
            of_person = not above or NAME.fullmatch(above[0]) or above[0].startswith(follow[1])
            return end if of_person and all(len(text) < _BIO for text in above) else at
    name = at if lines[at] else at + 1
    if name < len(lines) and lines[name] in names:
        has_bio = name + 1 < len(lines) and lines[name + 1].startswith(f"{lines[name]} is ")
        return name + has_bio
    return at


def _box_start(lines: Sequence[str], at: int, name: str) -> int:
    """The first line of the box without a picture that "Follow @name" closes: its lines speak of that name."""
    start = at
    while start > max(0, at - _LINES) and lines[start - 1].startswith(name) and len(lines[start - 1]) < _BIO:
        start -= 1
    return start


def _avatars(block: Element) -> list[Element]:
    return [img for img in block.iter("img") if AVATAR_ALT.fullmatch(img.get("alt", "").strip())]


def _blocks(content: Element) -> list[Element]:
    """What stands one below the other in an article: its children, below wrappers that hold everything."""
    blocks = [block for block in content if says_something(block)]
    if len(blocks) == 1 and blocks[0].tag in _WRAPPERS:
        return _blocks(blocks[0])
    for block in blocks:
        if block.tag == "p" and block.find("br") is not None and _opens_or_closes(block):
            _part_at_breaks(block)
    return [block for block in content if says_something(block)]


def _opens_or_closes(block: Element) -> bool:
    closing = block.findall("br")[-1]
    line = (closing.tail or "").strip() if closing.getnext() is None else ""
    return bool(_avatars(block) or PROVEN_LINE.fullmatch(line) or FOLLOW_LINE.fullmatch(line))


def _part_at_breaks(block: Element) -> None:
    """Give each line of a paragraph a paragraph of its own, as bylines have them on most pages."""
    last = block
    for node in list(block):
        if node.tag == "br":
            line = etree.Element("p")
            line.text = node.tail
            block.remove(node)
            last.addnext(line)
            last = line
        elif last is not block:
            last.append(node)
