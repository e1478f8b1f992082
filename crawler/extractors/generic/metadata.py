"""Read the fields that a page of any template states, in the order of the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import urlsplit

from crawler.clock import parse_time
from crawler.extractors.generic.author import read_author
from crawler.extractors.generic.json_ld import JsonLd
from crawler.extractors.generic.shown import NOT_OF_COMMENT, find_shown_date, short_lines
from crawler.extractors.page import Page
from crawler.extractors.tree import Element, has_ancestor, one_line, text_of, xpath

# <div itemscope itemtype="http://schema.org/DiscussionForumPosting">
MARKED_ARTICLE = xpath(
    ".//*[contains(@itemtype, 'Posting') or contains(@itemtype, 'Article') or contains(@itemtype, '/Question')]"
)
# <h1 class="entry-title" itemprop="name headline">, not one in a box of other posts
TITLE_CLASSES = frozenset(
    (
        "entry-title",
        "post-title",
        "article-title",
        "p-name",
        "headline",
        "post-headline",
        "wp-block-post-title",
    )
)
HEADING = xpath(".//*[self::h1 or self::h2 or self::h3[@class]][not(ancestor::aside | ancestor::nav)]")
MARKUP_TITLE = xpath(".//meta[@itemprop = 'headline'][@content]")
# "The tea road | Roads", "The tea road - Roads": what follows may be the name of the site
TITLE_SEPARATOR = re.compile(r"\s+[|\-–—·•»:]+\s+|: ")
SITE_FOLLOWS = re.compile(r" [|\-–—·•»] ")
# <h1 class="site-title"><a href="/">Roads</a></h1>
HOME_LINK = xpath(".//a[@href = '/' or @rel = 'home']")
ALWAYS_SEPARATES = " | "
# <meta property="article:published_time" content="2023-05-04T09:30:00Z">
DATE_METAS = (
    *("article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date"),
    *("dcterms.created", "dc.date.issued", "dc.date", "sailthru.date", "pubdate", "publish-date", "date"),
)
UPDATED_METAS = (
    *("article:modified_time", "og:article:modified_time", "og:updated_time"),
    *("datemodified", "dcterms.modified"),
)
# <time itemprop="datePublished" datetime="…">, <abbr itemprop="datePublished" title="…">, <meta itemprop=…>
# <span property="schema:dateCreated" content="…">
MARKUP_TIME = xpath(f".//*[contains(@itemprop, 'date') or contains(@property, ':date')]{NOT_OF_COMMENT}")
PUBLISHED_PROPERTIES = frozenset(("datePublished", "dateCreated"))
UPDATED_PROPERTIES = frozenset(("dateModified",))
# <time class="entry-date published" datetime="…">, <time pubdate datetime="…">
TIME = xpath(f".//time[@datetime]{NOT_OF_COMMENT}")
PUBLISHED_CLASS = re.compile(r"\b(?:publish|created|entry-date|entry-time|post-date)|\bdt-published\b", re.I)
UPDATED_CLASS = re.compile(r"updated|modified", re.I)
# <a rel="tag" href="/tag/x/">x</a>; <a rel="category tag"> is a category
TAG_LINK = xpath(".//a[contains(concat(' ', @rel, ' '), ' tag ')]")
# <a href="/tags/x/">, <a class="tag-link">, <ul class="post-tags"><li><a>, where no link says what it is
LINK = xpath(
    ".//a[@href][not(ancestor::nav | ancestor::aside)]"
    "[not(ancestor::*[self::header or self::footer][not(ancestor::article)])]"
)
TAG_ADDRESS = re.compile(r"/(?:tags?|tagged|topics?)/[^/]+/?\Z")
TAG_CLASS = re.compile(r"(?:[\w-]*[-_])?tag(?:[-_]+(?:link|item|name))?", re.I)
TAG_BOX_CLASS = re.compile(r"(?:[\w-]*[-_])?(?:tags|taglist|tag-list|tag_list|tag-links)", re.I)
TAG_METAS, SECTION_METAS = ("article:tag", "og:article:tag"), ("article:section", "og:article:section")
META = xpath(".//meta[@property or @name][@content]")
MARKUP_KEYWORDS = xpath(".//meta[@itemprop = 'keywords'][@content]")
CATEGORY_LINK = xpath(".//a[contains(concat(' ', @rel, ' '), ' category ')]")

_MAX_TITLE_CHARACTERS = 500  # that are searched for the name of the site
_MAX_TAGS = 50
_MAX_LEVELS = 2  # from a link up to the list of tags


@dataclass(frozen=True, slots=True)
class Metadata:
    """Fields of an article as its page states them outside the text; None or empty where it does not."""

    title: str | None
    author: str | None
    date: datetime | None
    updated: datetime | None
    tags: list[str]
    categories: list[str]
    description: str | None
    thumbnail: str | None
    """Its address as the page spells it."""
    says_article: bool
    """True where it states that it is an article, a forum's post or a question."""


def read_metadata(page: Page) -> Metadata:
    """Read the fields of a page before it is taken apart: JSON-LD first, then meta elements, then its markup."""
    ld = JsonLd(page.doc, page.url)
    return Metadata(
        title=_title(page, ld),
        author=read_author(page, ld),
        date=_date(page, ld),
        updated=_updated(page, ld),
        tags=_tags(page, ld),
        categories=_categories(page, ld),
        description=page.head.get("description") or page.head.get("og:description") or ld.text("description"),
        thumbnail=page.head.get("og:image") or ld.text("image", "thumbnailUrl"),
        says_article=ld.is_article or len(MARKED_ARTICLE(page.doc)) == 1,
    )


def strip_site_name(title: str, page: Page) -> str:
    """Strip the site's name, which is like that of the page's host or `og:site_name`, from either end of a title."""
    if ALWAYS_SEPARATES in title:
        title = title.rpartition(ALWAYS_SEPARATES)[0]
    parts = list(TITLE_SEPARATOR.finditer(title))
    if parts and _is_site(title[parts[-1].end() :], page):
        return title[: parts[-1].start()]
    return title[parts[0].end() :] if parts and _is_site(title[: parts[0].start()], page) else title


def _is_site(text: str, page: Page) -> bool:
    squeezed = _squeezed(text)
    host = _squeezed(urlsplit(page.url).hostname or "")
    return bool(squeezed) and (squeezed == _squeezed(page.head.get("og:site_name", "")) or squeezed in host)


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _title(page: Page, ld: JsonLd) -> str | None:
    """Return the visible title: the heading that the head of the page names, or else the likeliest one."""
    title = next(page.doc.iter("title"), None)
    marked = [meta.get("content", "") for meta in MARKUP_TITLE(page.doc)[:1]]
    head = (
        page.head.get("og:title"),
        page.head.get("twitter:title"),
        "" if title is None else text_of(title),
    )
    stated = [text for text in (ld.text("headline", "name"), *marked, *head) if text]
    headings = [
        (node, text)
        for node in HEADING(page.doc)
        if (text := _heading(node)) and not HOME_LINK(node) and not _is_site(text, page)
    ]
    starts = [(text, SITE_FOLLOWS.finditer(text[:_MAX_TITLE_CHARACTERS])) for text in stated]
    parts = [text[: match.start()] for text, matches in starts for match in matches]
    for name in (*stated, *parts):
        shown = next((text for _, text in headings if text.casefold() == name.casefold()), None)
        if shown is not None:
            return shown
    for node, text in headings:
        names = {*node.get("class", "").split(), *node.get("itemprop", "").split()}
        if not TITLE_CLASSES.isdisjoint(names):
            return text
    mains = [(node, text) for node, text in headings if node.tag == "h1"]
    mains = [pair for pair in mains if has_ancestor(pair[0], "article", "main")] or mains
    if len(mains) == 1 or (mains and any(mains[0][1] in text for text in stated)):
        return mains[0][1]
    return strip_site_name(stated[0], page) if stated else None


def _heading(node: Element) -> str:
    """Return the text of a heading without the sign that links to it."""
    return text_of(node).rstrip("#¶§ ")


def _date(page: Page, ld: JsonLd) -> datetime | None:
    return _first_time(
        (
            ld.text("datePublished", "dateCreated", "uploadDate"),
            *(page.head.get(name) for name in DATE_METAS),
            *_marked_times(page.doc, PUBLISHED_PROPERTIES),
            *(node.get("datetime") for node in TIME(page.doc) if _says_published(node)),
            *(node.get("datetime") for node in TIME(page.doc)[:1]),
        )
    ) or next(filter(None, map(find_shown_date, short_lines(page.doc))), None)


def _updated(page: Page, ld: JsonLd) -> datetime | None:
    return _first_time(
        (
            ld.text("dateModified"),
            *(page.head.get(name) for name in UPDATED_METAS),
            *_marked_times(page.doc, UPDATED_PROPERTIES),
            *(node.get("datetime") for node in TIME(page.doc) if _says_updated(node)),
        )
    )


def _first_time(texts: Iterable[str | None]) -> datetime | None:
    return next((moment for text in texts if text and (moment := parse_time(text.strip()))), None)


def _says_published(time: Element) -> bool:
    return "pubdate" in time.attrib or PUBLISHED_CLASS.search(time.get("class", "")) is not None


def _says_updated(time: Element) -> bool:
    return UPDATED_CLASS.search(time.get("class", "")) is not None and not _says_published(time)


def _marked_times(doc: Element, properties: frozenset[str]) -> Iterator[str]:
    for node in MARKUP_TIME(doc):
        named = f"{node.get('itemprop', '')} {node.get('property', '').rpartition(':')[2]}"
        if not properties.isdisjoint(named.split()):
            yield node.get("content") or node.get("datetime") or node.get("title") or text_of(node)


def _tags(page: Page, ld: JsonLd) -> list[str]:
    sources = (
        (text_of(node) for node in TAG_LINK(page.doc) if "category" not in node.get("rel", "")),
        _split(_metas(page.doc, TAG_METAS)),
        _split(ld.texts("keywords")),
        _split(node.get("content", "") for node in MARKUP_KEYWORDS(page.doc)[:1]),
        map(text_of, filter(_is_tag, LINK(page.doc))),
    )
    return next((tags for source in sources if (tags := _distinct(source))), [])


def _categories(page: Page, ld: JsonLd) -> list[str]:
    sources = (
        map(text_of, CATEGORY_LINK(page.doc)),
        _metas(page.doc, SECTION_METAS),
        ld.texts("articleSection"),
    )
    return next((names for source in sources if (names := _distinct(source))), [])


def _is_tag(link: Element) -> bool:
    if TAG_ADDRESS.search(link.get("href", "")):
        return True
    if any(map(TAG_CLASS.fullmatch, link.get("class", "").split())):
        return True
    boxes = islice(link.iterancestors("ul", "div", "p", "span"), _MAX_LEVELS)
    return any(TAG_BOX_CLASS.fullmatch(name) for box in boxes for name in box.get("class", "").split())


def _split(values: Iterable[str]) -> list[str]:
    """Return a list of several values unchanged; split the only value of one at its commas."""
    values = list(values)
    return values[0].split(",") if len(values) == 1 else values


def _metas(doc: Element, names: tuple[str, ...]) -> Iterator[str]:
    for meta in META(doc):
        if (meta.get("property") or meta.get("name") or "").lower() in names:
            yield meta.get("content", "")


def _distinct(texts: Iterable[str]) -> list[str]:
    words = (one_line(text).lstrip("#").strip() for text in texts)
    return list(dict.fromkeys(filter(None, words)))[:_MAX_TAGS]
