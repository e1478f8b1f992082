"""From the bytes of a page to an Article: pure, no I/O, no settings."""

from __future__ import annotations

from crawler.errors import UnreadablePage
from crawler.extractors import redefine
from crawler.extractors.generic import extractor
from crawler.extractors.page import parse
from crawler.items import Article, Reading


def read(html: bytes, url: str, charset: str | None = None) -> Reading:
    """Read a page's article, and tell whether the page breaks off before the end of all that was read.

    The theme's articles end where its links to other posts begin; of any other page, and where fields were looked
    for in all of the page, `</html>` is the end. Raises UnreadablePage as extract() does.
    """
    page = parse(html, url, charset)
    if page is None:
        return Reading(None)
    article = redefine.read(page) or extractor.read(page)
    if article is None:
        return Reading(None)
    if page.lost:
        raise UnreadablePage(page.lost)
    if extractor.is_full(article):
        return Reading(article, cut_off=not page.ended)
    return Reading(extractor.filled(article, page), cut_off=not page.goes_on_to_its_end())


def extract(html: bytes, url: str, charset: str | None = None) -> Article | None:
    """The article that a page holds; None where it holds none (a home page, a list, a 404, no HTML at all).

    The page may be in any charset and as broken as it likes; `charset` is the one that the HTTP response named, and
    counts where neither the bytes nor the page tell. An article page without text gives an Article whose body is
    empty. Addresses come out resolve_url, but as the page spells them. Raises UnreadablePage, with the reason,
    where an article is there and part of it would be lost: nested deeper than the parser reads, swallowed by an
    attribute that is never closed, or nothing left of it in Markdown. How long a page may take is the caller's
    to limit.
    """
    return read(html, url, charset).article
