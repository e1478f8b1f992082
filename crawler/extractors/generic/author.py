"""Find the author that a page states outside the text of its article."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from crawler.extractors.bylines.credits import is_label, is_name, read_credit
from crawler.extractors.generic.json_ld import JsonLd
from crawler.extractors.generic.shown import CLASSED, NOT_OF_COMMENT, short_lines
from crawler.extractors.page import Page
from crawler.extractors.tree import Element, one_line, text_of, xpath

# <meta name="author" content="Mei Tan">, but not an address, nor a profile's handle
AUTHOR_METAS = (
    *("author", "article:author", "og:article:author", "dc.creator", "dcterms.creator", "parsely-author"),
    *("sailthru.author", "byl"),
)
# <span itemprop="author" itemscope><span itemprop="name">Mei Tan</span></span>
MARKUP_AUTHOR = xpath(f".//*[contains(concat(' ', @itemprop, ' '), ' author ')]{NOT_OF_COMMENT}")
MARKUP_NAME = xpath(".//*[@itemprop = 'name']")
# <a rel="author" href="/me/">Mei Tan</a>
AUTHOR_LINK = xpath(
    f".//a[contains(concat(' ', @rel, ' '), ' author ')][ancestor::article | ancestor::main]{NOT_OF_COMMENT}"
)
# <span class="byline">By <a class="author-name">Mei Tan</a> | 4 May 2023</span>, the surest first
AUTHOR_CLASSES = (
    re.compile(
        r"fn|p-author|(?:[\w-]*[-_])?(?:author|byline|avatar|nick|user)[-_]*name|follow-nickname", re.I
    ),
    re.compile(r"(?:[\w-]*[-_])?author(?:[-_]+link)?", re.I),
    re.compile(r"(?:[\w-]*[-_])?byline", re.I),
)
# <p>Written by <strong>Mei Tan</strong> who lives …</p>
SIGNATURE = xpath(
    f".//*[self::p or self::div or self::span or self::li or self::address][*]{NOT_OF_COMMENT}"
    "[ancestor::header or ancestor::footer or ancestor::*[contains(@class, 'bio')] or string-length() < 80]"
)
BY_WORDS = frozenset(("by", "von", "par", "por", "di", "da", "door", "文", "作者", "著者"))
SIGNS = ("strong", "weak")
ADDRESS = re.compile(r"https?:|www\.|/|@", re.I)

_MAX_NAME_CHARACTERS = 80
_MAX_LINE_CHARACTERS = 300  # that are searched for a name
_MAX_NAMES = 20


def read_author(page: Page, ld: JsonLd) -> str | None:
    """Return the authors that JSON-LD, meta elements, markup or visible lines name, as a reader lists them."""
    return _joined(_authors(page, ld))


def _joined(names: list[str]) -> str | None:
    """Join names as a reader lists them; None where there are none.

    >>> _joined(["Ada", "Ben", "Cy"])
    'Ada, Ben and Cy'
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or None


def _authors(page: Page, ld: JsonLd) -> list[str]:
    metas = (page.head.get(name, "") for name in AUTHOR_METAS)
    sources: Iterator[Iterable[str]] = iter(
        (
            ld.names("author", people=True),
            *((name,) for name in metas),
            (_marked_name(node) for node in MARKUP_AUTHOR(page.doc)[:_MAX_NAMES]),
            map(text_of, AUTHOR_LINK(page.doc)[:_MAX_NAMES]),
            *_names_by_class(page.doc),
            _signed(page.doc),
            ld.names("author", people=False),
        )
    )
    return next((names for source in sources if (names := _names(source))), [])


def _names(texts: Iterable[str]) -> list[str]:
    """Return the texts that can be names, each once; of "By Mei Tan | May 4, 2023" the name."""
    lines = (one_line(text[:_MAX_LINE_CHARACTERS]) for text in texts)
    names = (credit.author if (credit := read_credit(line)) else line for line in lines)
    return list(
        dict.fromkeys(
            name for name in names if 0 < len(name) <= _MAX_NAME_CHARACTERS and not ADDRESS.search(name)
        )
    )


def _marked_name(node: Element) -> str:
    """Return the name in an element with `itemprop="author"`."""
    name = next(iter(MARKUP_NAME(node)), node)
    return name.get("content") or text_of(name)


def _names_by_class(doc: Element) -> Iterator[Iterable[str]]:
    """Yield, for each kind of class, the text of its first element; in a header, of all of them."""
    nodes = CLASSED(doc)
    for kind in AUTHOR_CLASSES:
        named = [node for node in nodes if any(map(kind.fullmatch, node.get("class", "").split()))]
        header = next(named[0].iterancestors("header"), None) if named else None
        beside = [] if header is None else [node for node in named if header in node.iterancestors("header")]
        yield map(text_of, beside or named[:1])


def _signed(doc: Element) -> Iterator[str]:
    """Yield the name after a by-word: in an element of its own, or in a short line near the title."""
    for node in SIGNATURE(doc):
        by_word = (node.text or "").strip()
        if (by_word.casefold() in BY_WORDS or is_label(by_word)) and is_name(name := text_of(node[0])):
            yield name
            return
    for line in short_lines(doc):
        if (credit := read_credit(line)) and credit.sign in SIGNS:
            yield credit.author
            return
