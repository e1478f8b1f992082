"""Read articles of the sites' own theme, Hexo's Redefine, field by field in the order of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from crawler.clock import parse_time
from crawler.errors import UnreadablePage
from crawler.extractors.body import cut_noise, images
from crawler.extractors.bylines.byline import Byline, cut_byline
from crawler.extractors.language import detect_language
from crawler.extractors.links import UNCLOSED, cut_also_read, resolve_image, resolve_url
from crawler.extractors.markdown.writer import to_markdown
from crawler.extractors.page import Page
from crawler.extractors.tree import Element, XPath, text_of, xpath
from crawler.items import Article, AuthorSource
from crawler.text import unquote

# <div class="article-content-container"> round all that follows
CONTAINER = "article-content-container"
# <div class="article-title …"><img src="https://thmb.…"><div><h1 class="article-title-cover …">
TITLE_BOX = "article-title"
TITLE = xpath(".//h1")
HERO = xpath(".//img[@src]")
# <div class="article-header …"><span class="name …">Joseph</span><span class="author-label …">Lv11</span>
HEADER = "article-header"
SITE_AUTHOR = xpath(".//span[@class = 'name' or starts-with(@class, 'name ')]")
# <span class="article-tags article-meta-item"><ul><li><a href="/tags/x/">x</a>
TAGS = xpath(".//span[contains(@class, 'article-tags')]//a")
# <span class="article-categories article-meta-item"><ul><li><a href="/categories/x/">x</a>
CATEGORIES = xpath(".//span[contains(@class, 'article-categories')]//a")
# <div class="article-content markdown-body px-2 …">
CONTENT = "article-content"
# <div class="post-copyright-info …"><a class="license" href="https://creativecommons.org/…">
COPYRIGHT = "post-copyright-info"
LICENSE = xpath(".//a[@class = 'license'][@href]")

_PARTS = frozenset((CONTAINER, TITLE_BOX, HEADER, CONTENT, COPYRIGHT))


@dataclass(frozen=True, slots=True)
class Post:
    """A page of the theme, and its parts by class."""

    page: Page
    parts: dict[str, Element]

    def first(self, part: str, wanted: XPath) -> Element | None:
        """Return the first element that an XPath matches in a part, if the page has both."""
        return next(iter(wanted(self.parts[part])), None) if part in self.parts else None

    def texts(self, part: str, wanted: XPath) -> list[str]:
        """Return the texts of all elements that an XPath matches in a part, each once."""
        nodes = wanted(self.parts[part]) if part in self.parts else []
        return list(dict.fromkeys(text for node in nodes if (text := text_of(node))))


def read(page: Page) -> Article | None:
    """Read the article of a page, which this takes apart; None where the page is not an article of this theme.

    Raises UnreadablePage where part of the article is lost, or its body cannot be written as Markdown.
    """
    post = Post(page, _parts(page.doc))
    if page.is_theme and not {CONTENT, COPYRIGHT} <= post.parts.keys():
        raise UnreadablePage(page.lost or UNCLOSED)
    content = post.parts.get(CONTENT)
    if content is None and CONTAINER in post.parts:
        content = etree.Element("div")  # a page that breaks off before its article has an empty one
    elif content is None or not {CONTAINER, TITLE_BOX, HEADER} & post.parts.keys():
        return None
    cut_noise(content)
    also_read = cut_also_read(content, page.base)
    byline = cut_byline(content)
    author, author_source = _author(post, byline)
    date = parse_time(page.head.get("article:published_time"))
    updated = parse_time(page.head.get("article:modified_time"))
    return Article(
        url=page.url,
        title=_title(post),
        author=author,
        author_source=author_source,
        date=date,
        updated=updated,
        tags=post.texts(
            HEADER, TAGS
        ),  # `article:tag` is the site's own keyword string where a post has no tags
        categories=post.texts(HEADER, CATEGORIES),
        description=_description(post),
        keywords=page.head.get("keywords"),
        thumbnail=_thumbnail(post),
        lang=detect_language(text_of(content)),
        license=_license_address(post),
        images=images(content, page.base),
        body=to_markdown(content, page.base),
        also_read=also_read,
        extractor="redefine",
        extra=byline.front_matter(date, updated),
    )


def _title(post: Post) -> str | None:
    heading = post.first(TITLE_BOX, TITLE)
    shown = text_of(heading) if heading is not None else ""
    return unquote(shown or post.page.head.get("og:title", "")) or None


def _author(post: Post, byline: Byline) -> tuple[str | None, AuthorSource | None]:
    if byline.author:
        return byline.author, "byline"
    names = post.texts(HEADER, SITE_AUTHOR)
    author = names[0] if names else post.page.head.get("article:author")
    return author, "blog" if author else None


def _description(post: Post) -> str | None:
    return unquote(post.page.head.get("description", "")) or None


def _thumbnail(post: Post) -> str | None:
    hero = post.first(TITLE_BOX, HERO)
    return resolve_image(post.page.base, hero.get("src", "")) if hero is not None else None


def _license_address(post: Post) -> str | None:
    link = post.first(COPYRIGHT, LICENSE)
    return resolve_url(post.page.base, link.get("href", "")) if link is not None else None


def _parts(doc: Element) -> dict[str, Element]:
    parts: dict[str, Element] = {}
    for div in doc.iter("div"):
        for name in _part_names(div.get("class", "")):
            parts.setdefault(name, div)
    return parts


@lru_cache
def _part_names(classes: str) -> frozenset[str]:
    """Return the parts that an element with these classes is; the theme has the same few on all pages."""
    return _PARTS.intersection(classes.split())
