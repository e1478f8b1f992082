"""Find the short lines that a page shows about its article, and a date in one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice

from crawler.extractors.bylines.credits import find_dates
from crawler.extractors.bylines.dates import parse_date
from crawler.extractors.tree import Element, text_of, xpath

# <li itemprop="comment">, <div itemprop="acceptedAnswer">, <li class="comment">, <div id="comments">
NOT_OF_COMMENT = (
    "[not(ancestor::*[@itemprop = 'comment' or contains(@itemprop, 'Answer') or contains(@itemtype, '/Comment')"
    " or contains(concat(' ', @class, ' '), ' comment ') or @id = 'comments'])]"
)
CLASSED = xpath(
    f".//*[@class][not(ancestor::aside | ancestor::footer[not(ancestor::article)])]{NOT_OF_COMMENT}"
)
# <header><h1>…</h1><p>By Mei Tan</p>, <h1>…</h1><p>By Mei Tan | May 4, 2023</p>, <p class="post-meta">…
NEAR_TITLE = xpath(
    ".//header[.//h1]//*[self::p or self::div or self::span or self::time or self::li]"
    " | (.//h1)[position() < 4]/following-sibling::*[position() < 4]"
    "[self::p or self::div or self::span or self::time]"
    " | .//*[contains(@class, 'byline') or contains(@data-component, 'byline')]//*[not(*)]"
)
META_CLASS = re.compile(
    r"(?:\b|[-_])(?:meta|byline|posted|submitted|published|date|time|info|footers?)(?:\b|[-_])", re.I
)

_MAX_LINE_CHARACTERS = 80
_MAX_LINES = 200


def short_lines(doc: Element) -> Iterator[str]:
    """Yield the short lines below a title, and those whose class says that they are about the article."""
    classed = (node for node in CLASSED(doc) if META_CLASS.search(node.get("class", "")))
    for node in islice(chain(NEAR_TITLE(doc), classed), _MAX_LINES):
        line = text_of(node)
        if 0 < len(line) <= _MAX_LINE_CHARACTERS:
            yield line


def find_shown_date(line: str) -> datetime | None:
    """Return the first date in a line, as midnight UTC; None where it has none.

    >>> find_shown_date("By Ada Lovelace | MAY 4, 2023")
    datetime.datetime(2023, 5, 4, 0, 0, tzinfo=datetime.timezone.utc)
    >>> find_shown_date("Room 4, 2023") is None
    True
    """
    day = next(filter(None, map(parse_date, find_dates(line))), None)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
