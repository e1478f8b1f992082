"""Pages of any other template, by trafilatura."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lxml import etree

from crawler.extractors.body import cut_noise, images
from crawler.extractors.byline import cut_byline
from crawler.extractors.language import language
from crawler.extractors.links import absolute, cut_also_read
from crawler.extractors.markdown import to_markdown
from crawler.extractors.page import Page, instant
from crawler.extractors.tree import Element, mark_cut, path, says_something, sweep, text_of
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
LICENSE = path(".//*[self::a or self::link][contains(concat(' ', @rel, ' '), ' license ')][@href]")

_LEAST = 250  # characters; what is shorter, and does not say that it is an article, is a notice
_FILLED = ("title", "author", "date", "description")
_DATES = {"extensive_search": False, "original_date": True}  # a date that is guessed is none
# trafilatura's own vocabulary as HTML; where it keeps the tag in an attribute, `rend` has it
_HTML_TAGS = {"item": "li", "quote": "blockquote", "lb": "br", "graphic": "img", "row": "tr", "ref": "a"}
_EMPHASIS = {"#b": "strong", "#i": "em", "#t": "code", "#sub": "sub", "#sup": "sup"}
_INLINE_PARENTS = frozenset(
    ("pre", "p", "li", "td", "th", "a", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em")
)


def read(page: Page) -> Article | None:
    """The article of a page, which this takes apart; None where the page does not look like one.

    Raises ValueError where the body cannot be said in Markdown.
    """
    kind = page.head.get("og:type", "article").lower()
    if kind not in ARTICLE_TYPES or NOT_ARTICLE_PATH.fullmatch(urlsplit(page.url).path or "/"):
        return None
    body = page.doc.find("body")
    if body is None:
        return None
    licenses = LICENSE(page.doc)
    cut_noise(body)
    also_read = cut_also_read(body, page.base)
    content = _content(page)
    if content is None:
        return None
    found = _metadata(page)
    byline = cut_byline(content)
    _cut_title(content, found.title)
    text = text_of(content)
    if not text or (len(text) < _LEAST and "og:type" not in page.head):
        return None
    in_byline = byline.author if byline else None
    author = in_byline or page.head.get("author") or found.author
    date = instant(page.head.get("article:published_time") or found.date)
    updated = instant(page.head.get("article:modified_time"))
    return Article(
        url=page.url,
        title=found.title,
        author=author,
        author_source="byline" if in_byline else "meta" if author else None,
        date=date,
        updated=updated,
        tags=list(dict.fromkeys(found.tags or [])),
        categories=list(dict.fromkeys(found.categories or [])),
        description=found.description,
        keywords=page.head.get("keywords"),
        thumbnail=absolute(page.base, found.image) if found.image else None,
        lang=language(text),
        license=absolute(page.base, licenses[0].get("href", "")) if licenses else None,
        images=images(content, page.base),
        body=to_markdown(content, page.base),
        also_read=also_read,
        extractor="generic",
        extra=byline.front_matter(date, updated) if byline else {},
    )


def filled(article: Article, page: Page) -> Article:
    """An article with what its template left empty, as far as trafilatura finds it in the page."""
    if all(getattr(article, name) for name in _FILLED):
        return article
    found = _metadata(page)
    return replace(
        article,
        title=article.title or found.title,
        author=article.author or found.author,
        author_source=article.author_source or ("meta" if found.author else None),
        date=article.date or instant(found.date),
        description=article.description or found.description,
    )


def _metadata(page: Page) -> Document:
    from trafilatura import extract_metadata  # half a second to load, and most crawls never need it

    return extract_metadata(page.html, default_url=page.url, date_config={**_DATES, "url": page.url})


def _content(page: Page) -> Element | None:
    """The article's text as HTML below a `div`; None where trafilatura finds no text."""
    from trafilatura import bare_extraction

    found = bare_extraction(
        etree.tostring(page.doc, method="html", encoding="utf-8"),
        url=page.base,
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
    )
    if found is None or isinstance(found, dict) or found.body is None:
        return None
    content = found.body
    for node in content.iter():
        _to_html(node)
    content.tag = "div"
    return content


def _to_html(node: Element) -> None:
    if node.tag in ("head", "list"):
        node.tag = node.get("rend") or ("h3" if node.tag == "head" else "ul")
    elif node.tag == "hi":
        node.tag = _EMPHASIS.get(node.get("rend", ""), "span")
    elif node.tag == "cell":
        node.tag = "th" if node.get("role") == "head" else "td"
    elif (
        node.tag == "code" and (parent := node.getparent()) is not None and parent.tag not in _INLINE_PARENTS
    ):
        node.tag = "pre"
    else:
        node.tag = _HTML_TAGS.get(node.tag, node.tag)
    if node.tag == "a":
        node.set("href", node.get("target", ""))


def _cut_title(content: Element, title: str | None) -> None:
    """The page's title is a field of its own, so not the first heading of the body as well."""
    heading = next(filter(says_something, content), None)
    if heading is not None and heading.tag in ("h1", "h2") and text_of(heading) == title:
        mark_cut(heading)
        sweep(content)
