"""Extract articles from the bytes of pages: pure, no I/O, no settings."""

from __future__ import annotations

from crawler.errors import UnreadablePage
from crawler.extractors import redefine
from crawler.extractors.generic import extractor
from crawler.extractors.page import parse
from crawler.items import EXTRACTOR_VERSION, Article, Reading


def read(html: bytes, url: str, charset: str | None = None) -> Reading:
    """Extract a page's article, and tell whether the page is cut off.

    A page of the theme is complete when it goes on to the links behind its article. Any other page, and one whose
    fields were searched for in all of it, is complete when it has `</html>`. Raises UnreadablePage as extract() does.
    """
    page = parse(html, url, charset)
    if page is None:
        return Reading(None)
    article = redefine.read(page) or extractor.read(page)
    if article is None:
        return Reading(None)
    if page.lost:
        raise UnreadablePage(page.lost)
    if extractor.is_complete(article):
        return Reading(article, cut_off=not page.is_complete, extractor_version=EXTRACTOR_VERSION)
    complete = extractor.complete(article, page)
    return Reading(complete, cut_off=not page.has_end(), extractor_version=EXTRACTOR_VERSION)


def extract(html: bytes, url: str, charset: str | None = None) -> Article | None:
    """Extract the article of a page; None where it has none (a home page, a list, a 404, no HTML at all).

    The page may be in any charset, and its markup may be broken. `charset` is the one that the HTTP response named;
    it counts where neither the bytes nor the page tell. An article page without text gives an Article whose body is
    empty. Addresses are absolute, but spelled as in the page. Raises UnreadablePage, with the reason, where part of
    an article would be lost: nested deeper than the parser reads, swallowed by an attribute that is never closed, or
    empty as Markdown. Has no time limit of its own.
    """
    return read(html, url, charset).article
