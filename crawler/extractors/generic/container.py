"""Find the element that holds a page's article, by the words of the article, and cut it down to the article."""

from __future__ import annotations

import re
from collections import Counter
from typing import cast

from crawler.extractors.generic.boilerplate import cut_boilerplate
from crawler.extractors.generic.theme_markup import set_code_languages
from crawler.extractors.tree import Element, mark_for_removal, raw_text, remove_marked, text_of, xpath

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
LISTED = xpath(".//article[.//*[self::h1 or self::h2 or self::h3]][.//a[@href]]")

_MIN_SHARE = 0.8  # of the words of a text, that an element which holds it has
_MIN_SHARE_LEFT = 0.7  # of them, after boilerplate is removed
_MAX_UNNAMED_RATIO = 1.5  # of the words of an element that nothing names to those of the text
_MIN_LISTED = 3  # articles in a list of articles
_WORD = re.compile(r"\w+")
_MAX_SIGN_CHARACTERS = 3  # that a heading may have beside the title: the sign that links to it
_MAX_HEAD_CHARACTERS = 1_000  # of all that stands before an article's text


def find_container(body: Element, guess: Element) -> Element | None:
    """Find the element that holds an article: the innermost named on the way to its text, or the innermost if tight.

    `guess` is the text as another extractor has it. None where no element is clear.
    """
    words, node, named = _words(guess), body, None
    while True:
        share, at = max(((_share(words, child), at) for at, child in enumerate(node)), default=(0.0, 0))
        if share < _MIN_SHARE:
            break
        node = node[at]
        if _is_named(node):
            named = node
    if named is not None or node is body:
        return named
    return node if _words(node).total() <= _MAX_UNNAMED_RATIO * words.total() else None


def is_list(container: Element) -> bool:
    """Tell whether most of an element's text is that of several articles, which have pages of their own."""
    list_block = LISTED(container)
    return len(list_block) >= _MIN_LISTED and 2 * sum(len(raw_text(node)) for node in list_block) > len(
        raw_text(container)
    )


def cut_to_article(container: Element, guess: Element, title: str | None) -> bool:
    """Remove all else from an element that holds an article; False where part of the guessed text went too."""
    words = _words(guess)
    cut_before_title(container, title)
    cut_boilerplate(container)
    set_code_languages(container)
    return _share(words, container) >= _MIN_SHARE_LEFT


def _is_named(node: Element) -> bool:
    if node.tag in BODY_TAGS or node.get("role") == "main":
        return True
    if not BODY_PROPERTIES.isdisjoint(node.get("itemprop", "").split()):
        return True
    names = (*node.get("class", "").split(), *node.get("id", "").split())
    return any(name in BODY_CLASSES or BODY_CLASS.fullmatch(name) for name in names)


def _words(node: Element) -> Counter[str]:
    return Counter(_WORD.findall(" ".join(cast("list[str]", node.itertext()))))


def _share(words: Counter[str], node: Element) -> float:
    """Return the share of some words that an element holds."""
    if not isinstance(node.tag, str) or not words:
        return 0.0
    return (words & _words(node)).total() / words.total()


def cut_before_title(content: Element, title: str | None) -> None:
    """Remove the heading that is the title, the header around it, and the little that stands before it."""
    headings = content.iter("h1", "h2", "h3")
    heading = next((node for node in headings if title and _is_title(node, title)), None)
    if heading is None:
        return
    header = next(heading.iterancestors("header"), None)
    node = header if header is not None and content in header.iterancestors() else heading
    head = [node]
    while node is not content and (parent := node.getparent()) is not None:
        head += (before for before in node.itersiblings(preceding=True) if isinstance(before.tag, str))
        node = parent
    mark_for_removal(
        *(head if sum(len(raw_text(part)) for part in head) <= _MAX_HEAD_CHARACTERS else [heading])
    )
    remove_marked(content)


def _is_title(heading: Element, title: str) -> bool:
    text = text_of(heading)
    return text.startswith(title) and len(text) <= len(title) + _MAX_SIGN_CHARACTERS
