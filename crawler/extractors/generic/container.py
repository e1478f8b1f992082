"""The element of a page that holds its article, found by the words of the article, and cut down to it."""

from __future__ import annotations

import re
from collections import Counter

from crawler.extractors.generic.boilerplate import cut_boilerplate
from crawler.extractors.generic.conventions import name_languages
from crawler.extractors.tree import Element, mark_cut, path, raw_text, sweep, text_of, texts

# <div itemprop="articleBody">, <div itemprop="text">: of a forum's post, a question
BODY_PROPERTIES = frozenset(("articleBody", "text", "description"))
# <div class="entry-content">, <section class="gh-content">, <div class="article__body">, <div id="article-container">
BODY_CLASS = re.compile(
    r"(?:[\w-]*[-_])?(?:article|post|entry|story|blog|news|page|gh|rich|single|field|main|theme|doc)s?"
    r"[-_]*(?:[a-z]+[-_]+){0,2}(?:content|body|text|copy|container|detail|inner)",
    re.I,
)
BODY_CLASSES = frozenset(
    ("prose", "markdown-body", "markdown", "e-content", "markup", "cooked", "hentry", "post", "article")
)
BODY_TAGS = ("article", "main")
# <article><h2><a href="/a-post/">: of a list of articles
LISTED = path(".//article[.//*[self::h1 or self::h2 or self::h3]][.//a[@href]]")

_COVERS = 0.8  # share of the words of a text that an element has which holds it
_KEEPS = 0.7  # share of them that are left of it
_TIGHT = 1.5  # times as many words as the text has an element that nothing names may have
_LIST = 3
_WORD = re.compile(r"\w+")
_SIGN = 3  # characters that a heading may have beside the title: the sign that links to it
_LONGEST_HEAD = 1_000  # characters of all that stands before an article's text


def container_of(body: Element, found: Element) -> Element | None:
    """The element that holds an article: the innermost by name on the way to its text, or the innermost if tight.

    `found` is the text as another extractor found it. None where no element is clear.
    """
    words, node, named = _words(found), body, None
    while True:
        share, at = max(((_share(words, child), at) for at, child in enumerate(node)), default=(0.0, 0))
        if share < _COVERS:
            break
        node = node[at]
        if _is_named(node):
            named = node
    if named is not None or node is body:
        return named
    return node if _words(node).total() <= _TIGHT * words.total() else None


def is_list(container: Element) -> bool:
    """Whether most of an element's text is that of several articles, which are read elsewhere."""
    listed = LISTED(container)
    return len(listed) >= _LIST and 2 * sum(len(raw_text(node)) for node in listed) > len(raw_text(container))


def cut_to_article(container: Element, found: Element, title: str | None) -> bool:
    """Cut all else out of an element that holds an article; False where that took part of the found text along."""
    words = _words(found)
    cut_before_title(container, title)
    cut_boilerplate(container)
    name_languages(container)
    return _share(words, container) >= _KEEPS


def _is_named(node: Element) -> bool:
    if node.tag in BODY_TAGS or node.get("role") == "main":
        return True
    if not BODY_PROPERTIES.isdisjoint(node.get("itemprop", "").split()):
        return True
    names = (*node.get("class", "").split(), *node.get("id", "").split())
    return any(name in BODY_CLASSES or BODY_CLASS.fullmatch(name) for name in names)


def _words(node: Element) -> Counter[str]:
    return Counter(_WORD.findall(" ".join(texts(node))))


def _share(words: Counter[str], node: Element) -> float:
    """How much of a text an element holds."""
    if not isinstance(node.tag, str) or not words:
        return 0.0
    return (words & _words(node)).total() / words.total()


def cut_before_title(content: Element, title: str | None) -> None:
    """Cut the heading that is the title, the header round it, and the little that stands before it."""
    heading = next(
        (node for node in content.iter("h1", "h2", "h3") if title and _is_title(node, title)), None
    )
    if heading is None:
        return
    header = next(heading.iterancestors("header"), None)
    node = header if header is not None and content in header.iterancestors() else heading
    head = [node]
    while node is not content and (parent := node.getparent()) is not None:
        head += (before for before in node.itersiblings(preceding=True) if isinstance(before.tag, str))
        node = parent
    mark_cut(*(head if sum(len(raw_text(part)) for part in head) <= _LONGEST_HEAD else [heading]))
    sweep(content)


def _is_title(heading: Element, title: str) -> bool:
    text = text_of(heading)
    return text.startswith(title) and len(text) <= len(title) + _SIGN
