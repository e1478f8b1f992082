"""Read pages of any other template: fields as the page states them, text where its markup and trafilatura agree."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from lxml import etree

from crawler.clock import parse_time
from crawler.extractors.body import cut_noise, images
from crawler.extractors.bylines.byline import cut_byline
from crawler.extractors.generic.boilerplate import cut_comments
from crawler.extractors.generic.container import cut_before_title, cut_to_article, find_container, is_list
from crawler.extractors.generic.metadata import Metadata, read_metadata
from crawler.extractors.generic.theme_markup import set_lazy_addresses
from crawler.extractors.generic.trafilatura_text import guess_content, guess_metadata
from crawler.extractors.language import detect_language
from crawler.extractors.links import cut_also_read, resolve_image, resolve_url
from crawler.extractors.markdown.writer import to_markdown
from crawler.extractors.page import Page
from crawler.extractors.tree import text_of, xpath
from crawler.items import Article

if TYPE_CHECKING:
    from trafilatura.settings import Document

# <meta property="og:type" content="website"> on home pages, lists and standing pages
ARTICLE_TYPES = ("article", "blog", "blogposting", "news")
# /  /tags/x/  /category/x/  /archives/2024/  /page/2/  /about.html  /privacy-policy/  /404.html
NOT_ARTICLE_PATH = re.compile(
    r"/(?:index\.html?)?"
    r"|/(?:tags?|categor(?:y|ies)|archives?|authors?|search)(?:/.*)?"
    r"|(?:/.*)?/page/\d+/?"
    r"|/(?:404|about|contact|privacy|terms|friends|links)(?:[-_](?:us|policy|conditions|of|and|use|service)){0,4}(?:\.html?|/)?",
    re.I,
)
# <a rel="license" href="https://creativecommons.org/…">
LICENSE = xpath(".//*[self::a or self::link][contains(concat(' ', @rel, ' '), ' license ')][@href]")

_MIN_CHARACTERS = 250  # a page that has fewer, and does not say that it is an article, is a notice
_FILLED = ("title", "author", "date", "description")
_STATED = (*_FILLED, "thumbnail")

_Fields = TypeVar("_Fields", Article, Metadata)


def read(page: Page) -> Article | None:
    """Read the article of a page, which this takes apart; None where the page does not look like one.

    Raises ValueError where the body cannot be written as Markdown.
    """
    body = page.doc.find("body")
    if body is None or NOT_ARTICLE_PATH.fullmatch(urlsplit(page.url).path or "/"):
        return None
    cut_comments(body)  # first: what readers wrote names neither the author nor the date
    metadata = read_metadata(page)
    if page.head.get("og:type", "article").lower() not in ARTICLE_TYPES and not metadata.says_article:
        return None
    html = etree.tostring(page.doc, method="html", encoding="utf-8")
    licenses = LICENSE(page.doc)
    set_lazy_addresses(body)  # before what offers them is cut
    cut_noise(body)
    also_read = cut_also_read(body, page.base)
    guess = guess_content(page)
    if guess is None:
        return None
    metadata = _complete_metadata(metadata, page, html)
    container = find_container(body, guess)
    if container is not None and is_list(container):
        return None
    if container is not None and cut_to_article(container, guess, metadata.title):
        content = container
    else:
        content = guess
        cut_before_title(content, metadata.title)
    byline = cut_byline(content)
    text = text_of(content)
    if not text or (len(text) < _MIN_CHARACTERS and "og:type" not in page.head):
        return None
    author = byline.author or metadata.author
    return Article(
        url=page.url,
        title=metadata.title,
        author=author,
        author_source="byline" if byline.author else "meta" if author else None,
        date=metadata.date,
        updated=metadata.updated,
        tags=metadata.tags,
        categories=metadata.categories,
        description=metadata.description,
        keywords=page.head.get("keywords"),
        thumbnail=resolve_image(page.base, metadata.thumbnail) if metadata.thumbnail else None,
        lang=detect_language(text),
        license=resolve_url(page.base, licenses[0].get("href", "")) if licenses else None,
        images=images(content, page.base),
        body=to_markdown(content, page.base),
        also_read=also_read,
        extractor="generic",
        extra=byline.front_matter(metadata.date, metadata.updated),
    )


def is_complete(article: Article) -> bool:
    """Tell whether the template had all fields, or trafilatura was asked for them already."""
    return article.extractor == "generic" or all(getattr(article, name) for name in _FILLED)


def complete(article: Article, page: Page) -> Article:
    """Fill the fields that an article's template left empty with trafilatura's guesses."""
    guess = guess_metadata(page, page.html)
    author_source = article.author_source or ("meta" if guess.author else None)
    return replace(_filled(article, guess), author_source=author_source)


def _complete_metadata(metadata: Metadata, page: Page, html: bytes) -> Metadata:
    """Fill the fields that a page does not state with trafilatura's guesses."""
    if all(getattr(metadata, name) for name in _STATED):
        return metadata
    guess = guess_metadata(page, html)
    return replace(_filled(metadata, guess), thumbnail=metadata.thumbnail or guess.image)


def _filled(fields: _Fields, guess: Document) -> _Fields:
    guesses = {name: getattr(guess, name) for name in _FILLED} | {"date": parse_time(guess.date)}
    return replace(fields, **{name: getattr(fields, name) or value for name, value in guesses.items()})
