"""Find the author that an article itself names, and remove the blocks that say nothing else.

A byline is a short block near the top, or a box at the end, known by its structure: a by-word and a name with a date,
a picture of the author or a role; never a by-word inside a sentence. A page can hold several articles, each with its
own byline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from itertools import tee
from typing import NamedTuple

from crawler.extractors.bylines.avatars import avatar_name, find_avatars, shows_author
from crawler.extractors.bylines.credits import (
    FOLLOW_LINE,
    MAX_BIO_CHARACTERS,
    PROVEN_LINE,
    Credit,
    find_dates,
    is_label,
    is_name,
    read_credit,
    read_dates,
)
from crawler.extractors.bylines.dates import parse_date
from crawler.extractors.bylines.lines import Line, opening_lines, split_lines
from crawler.extractors.tree import Element, mark_for_removal, raw_text, remove_marked, text_of, xpath

# <a rel="author">, <span itemprop="author">, <a href="/author/ada-miller/">
AUTHOR_LINK = xpath(".//*[@rel = 'author' or @itemprop = 'author' or contains(@href, '/author/')]")
# <a href="https://example.org/images/author/iris.png">author picture</a>: a page that lost the picture itself
LOST_AVATAR = re.compile(r"author (?:avatar|picture)\b", re.I)
# <h3>About the author</h3>
ABOUT_LINES = frozenset(
    (
        *("about the author", "about author", "about the authors", "über den autor", "über die autorin"),
        *("à propos de l’auteur", "à propos de l'auteur", "sull’autore", "sull'autore"),
        *("sobre el autor", "sobre la autora", "acerca del autor", "sobre o autor", "sobre a autora"),
        *("over de auteur", "关于作者", "關於作者", "作者简介", "作者簡介", "著者について", "執筆者紹介"),
    )
)
IS_SOMEBODY = re.compile(r"(\S.{1,60}?) (?:is|ist|est|è|es|é) (?:an?|the|eine?|une?|una|uma?) .*")
# Lower-case text of boxes about authors: a page without any has no such box, and need not be read to its end
_FOLLOW, _PROVEN, _LOST_AVATARS = "follow @", "proven solutions", ("author avatar", "author picture")
# One of these is in each of the others.
_AUTHOR = tuple(map(str.encode, ("author", "autor", "auteur", "作者", "著者", "執筆者")))
_TITLES = ("h1", "h2", "h3")
_MAX_LINES_BELOW_TITLE = 6  # between the heading of a further article and its byline
_MAX_BOX_LINES = 5  # a byline or box is a picture and at most four lines


class Byline(NamedTuple):
    """The author of an article, as it says itself; empty where it does not."""

    author: str | None
    """Several are "A and B"; None also where an author's picture stands beside a date alone."""
    others: list[str]
    """The authors of further articles on the page."""
    dates: list[str]
    """The dates of the bylines that were removed: ISO 8601, or as written where that could be two days."""

    def front_matter(self, *moments: datetime | None) -> dict[str, str]:
        """Return front matter for what the bylines add to the author and the times that the page itself gives."""
        own = {moment.date().isoformat() for moment in moments if moment}
        values = {"byline_date": [day for day in self.dates if day not in own], "other_authors": self.others}
        return {key: ", ".join(value) for key, value in values.items() if value}


def cut_byline(content: Element) -> Byline:
    """Remove bylines, "Follow" boxes and author pictures from `content`, and return what they say."""
    avatars = find_avatars(content)
    signs = _signs(raw_text(content))
    lines, ahead = tee(split_lines(content, avatars))
    opening = list(opening_lines(ahead))
    if not (avatars or signs or _Bylines(opening, len(opening), frozenset()).authors):
        return Byline(None, [], [])
    bylines = _Bylines(list(lines), len(opening), signs)
    mark_for_removal(*(img for img in avatars if shows_author(img)))
    bylines.cut()
    remove_marked(content)
    days = dict.fromkeys((day.isoformat() if (day := parse_date(text)) else text) for text in bylines.dates)
    authors = [*dict.fromkeys(bylines.authors[at] for at in sorted(bylines.authors)), None]
    return Byline(authors[0], [name for name in authors[1:] if name], list(days))


def _signs(text: str) -> set[str]:
    """Return what a text has of the words that boxes about authors have."""
    ascii_lower = text.encode().lower()  # many times as quick as casefold(), which few pages need
    signs = {sign for sign in (_FOLLOW, _PROVEN) if sign.encode() in ascii_lower}
    if any(word in ascii_lower for word in _AUTHOR):
        folded = text.casefold()
        signs.update(sign for sign in (*_LOST_AVATARS, *ABOUT_LINES) if sign in folded)
    return signs


class _Bylines:
    """The bylines in the lines of an article, of which the first `opening` ones are its opening."""

    def __init__(self, lines: Sequence[Line], opening: int, signs: Set[str]) -> None:
        self.lines = lines
        self.authors: dict[int, str] = {}
        """By the number of the byline's line."""
        self.dates: list[str] = []
        self._cut: set[int] = set()
        self._lost_avatars = not signs.isdisjoint(_LOST_AVATARS)
        self._titles = frozenset(at for at, line in enumerate(lines) if line.node.tag in _TITLES)
        for at, line in enumerate(lines):
            if at in self._cut:
                continue
            if line.avatars and (at < opening or any(map(shows_author, line.avatars))):
                self._read_box(at, in_opening=at < opening)
            elif line.text and (at < opening or self.authors or self._lost_avatars):
                self._read_credit(at, in_opening=at < opening)
        if _FOLLOW in signs:
            self._read_follow_boxes()
        if _PROVEN in signs:
            self._read_proven_lines()
        if not self.authors and not signs.isdisjoint(ABOUT_LINES):
            self._read_about()

    def cut(self) -> None:
        """Mark the lines that are nothing but byline for removal, and the lists that had nothing else."""
        for at in self._cut:
            node = self.lines[at].node
            parent = node.getparent()
            mark_for_removal(node)
            if parent is not None and parent.tag in ("ul", "ol") and parent.find("li") is None:
                mark_for_removal(parent)

    def _text(self, at: int) -> str:
        return self.lines[at].text if 0 <= at < len(self.lines) else ""

    def _take(self, cut: Iterable[int], dates: Iterable[str]) -> None:
        """Note lines that are nothing but byline, with their dates: any other line stays, and says its own."""
        self._cut.update(cut)
        self.dates += dates

    def _read_credit(self, at: int, *, in_opening: bool) -> None:
        """Read the byline in a line, or in a line and the next."""
        below_lost_avatar = self._lost_avatars and LOST_AVATAR.match(self._text(at - 1)) is not None
        if not (in_opening or below_lost_avatar or (self.authors and self._is_below_title(at))):
            return
        text, last = self.lines[at].text, at
        if is_label(text):
            text, last = f"{text} {self._text(at + 1)}", at + 1
        credit = read_credit(text)
        if credit is None:
            return
        below = () if credit.dates else read_dates(self._text(last + 1))
        if not (self._is_evident(credit, at, below) or (below_lost_avatar and credit.sign != "name")):
            return
        self.authors[at] = credit.author
        if credit.alone and all(line.bare for line in self.lines[at : last + 1]):
            self._take(range(at, last + 1 + bool(below)), credit.dates or below)

    def _is_evident(self, credit: Credit, at: int, below: Sequence[str]) -> bool:
        """Tell whether a line names an author, and is not the sentence or heading that it may be."""
        if credit.sign == "strong":
            return True
        node = self.lines[at].node
        linked = len(node) > 0 and any(text_of(link) == credit.author for link in AUTHOR_LINK(node))
        if credit.sign == "weak":
            return bool(credit.dates or below or credit.role or linked)
        if credit.sign == "name":
            is_heading = (
                node.tag in ("h3", "h4", "h5", "h6") and " " in credit.author and self._is_below_title(at, 1)
            )
            return linked or (is_heading and bool(below))
        return False

    def _is_below_title(self, at: int, within: int = _MAX_LINES_BELOW_TITLE) -> bool:
        return any(above in self._titles for above in range(at - within, at))

    def _read_box(self, at: int, *, in_opening: bool) -> None:
        """Read the byline or box that begins with the author picture in a line."""
        end = min(at + _MAX_BOX_LINES, len(self.lines))
        if self._read_follow_below(range(at, end)):
            return
        credit, dates, last = self._read_below(range(at, end))
        named = next(filter(None, map(avatar_name, self.lines[at].avatars)), None)
        cut = range(at, last + 1)
        if credit and not (
            dates or credit.sign != "name" or credit.author in (named, *self.authors.values())
        ):
            credit, cut = None, range(0)
        if credit:
            self.authors[at] = credit.author
            if _is_about(f"{credit.author} is ", self._text(last + 1)):
                cut = range(at, last + 2)
        elif named and in_opening and any(map(shows_author, self.lines[at].avatars)):
            self.authors[at] = named
        if (credit is None or credit.alone) and all(self.lines[one].bare for one in cut):
            self._take(cut, dates)
        if not self._text(at) and self.lines[at].bare:
            self._take([at], ())

    def _read_follow_below(self, lines: range) -> bool:
        """Read a box of a picture, a name, a line about the person and "Follow @name"."""
        above: list[str] = []
        for at in lines:
            text = self._text(at)
            if follow := FOLLOW_LINE.fullmatch(text):
                of_person = not above or is_name(above[0]) or above[0].startswith(follow[1])
                if of_person and all(len(line) < MAX_BIO_CHARACTERS for line in above):
                    self.authors[lines.start] = next(filter(is_name, above), follow[1])
                    self._take(range(lines.start, at + 1), ())
                    return True
            if PROVEN_LINE.fullmatch(text) or read_dates(text):
                return False
            above += [text] if text else []
        return False

    def _read_below(self, lines: range) -> tuple[Credit | None, Sequence[str], int]:
        """Read the credit and the dates below a picture; return them with their last line."""
        credit: Credit | None = None
        last = lines.start - 1
        for at in lines:
            text = self._text(at)
            if text:
                dates = find_dates(text) if PROVEN_LINE.fullmatch(text) else read_dates(text)
                read = None if dates or credit else read_credit(text)
                if not dates and read is None:
                    break
                last = at
                if read is not None:
                    credit, dates = read, read.dates
                if dates:
                    return credit, dates, last
            elif not self.lines[at].bare:
                break
        return credit, (), last

    def _read_follow_boxes(self) -> None:
        """Read boxes without a picture: lines about a person, and "Follow @name" below them."""
        for at, line in enumerate(self.lines):
            follow = FOLLOW_LINE.fullmatch(line.text)
            if at in self._cut or follow is None:
                continue
            start, name = at, follow[1]
            while start > max(0, at - _MAX_BOX_LINES) and _is_about(name, self._text(start - 1)):
                start -= 1
            if start < at or name in self.authors.values():
                self.authors[at] = name
                self._take(range(start, at + 1), ())

    def _read_proven_lines(self) -> None:
        """Read date lines without a picture, and the known name above one."""
        for at, line in enumerate(self.lines):
            if at not in self._cut and PROVEN_LINE.fullmatch(line.text):
                below_name = self._text(at - 1) in self.authors.values()
                self._take(range(at - 1 if below_name else at, at + 1), find_dates(line.text))

    def _read_about(self) -> None:
        """Read the name in a box "About the author", which stays: it says more than a byline."""
        for at, line in enumerate(self.lines):
            if line.text.casefold().strip(" :：") not in ABOUT_LINES:
                continue
            for below in self.lines[at + 1 : at + 4]:
                named = next(filter(None, map(avatar_name, below.avatars)), None)
                somebody = IS_SOMEBODY.fullmatch(below.text)
                name = named or (somebody[1] if somebody else below.text)
                if is_name(name):
                    self.authors[at] = name
                    return


def _is_about(beginning: str, line: str) -> bool:
    """Tell whether a line begins so and is short enough to be about a person."""
    return line.startswith(beginning) and len(line) < MAX_BIO_CHARACTERS
