"""Read what a page states as JSON-LD: hostile input, so sizes are capped and no type is taken for granted."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from typing import Any

from crawler.extractors.tree import Element, one_line, raw_text, xpath

# <script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle", …}
SCRIPT = xpath(".//script[contains(@type, 'ld+json')]")
# {"@graph": [{"@type": "Article", …}, …]}  {"@type": "QAPage", "mainEntity": {"@type": "Question", …}}
NESTS = ("@graph", "mainEntity", "mainEntityOfPage")
# Article, NewsArticle, BlogPosting, DiscussionForumPosting; what else one person writes and a page is about
ARTICLE_ENDINGS = ("article", "posting", "report", "question", "review", "recipe", "howto")
ADDRESSES = ("@id", "url", "mainEntityOfPage")

_MAX_SCRIPT_CHARACTERS = 500_000  # real ones have a few thousand
_MAX_NODES = 1_000
_MAX_NAMES = 20

# What JSON can spell and no text holds: controls, noncharacters and halves of surrogate pairs
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

Node = dict[str, Any]


class JsonLd:
    """The JSON-LD of a page's article; every accessor returns None or nothing where it is missing or malformed."""

    def __init__(self, doc: Element, url: str) -> None:
        nodes = list(_nodes(doc))
        self._by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str)}
        articles = [node for node in nodes if _is_article(node)]
        plain = url.rstrip("/")
        about = [node for node in articles if any(_is_url(node.get(key), plain) for key in ADDRESSES)]
        self._article: Node = next(iter(about or articles), {})
        self.is_article = bool(about) or len(articles) == 1
        """True where the page is one article, and not a list of several."""

    def text(self, *keys: str) -> str | None:
        """Return the first text that one of these keys has, in one line."""
        return next((text for key in keys for text in _texts(self._article.get(key))), None)

    def texts(self, key: str) -> list[str]:
        """Return all texts that a key has, each in one line."""
        return list(_texts(self._article.get(key)))

    def names(self, key: str, *, people: bool) -> list[str]:
        """Return the names of the people at this key, or of all that are not people, in order."""
        names = []
        for value in _listed(self._article.get(key))[:_MAX_NAMES]:
            node = self._resolved(value)
            is_person = not isinstance(node, dict) or not any("organization" in kind for kind in _types(node))
            if is_person is people:
                names += list(_texts(node.get("name") if isinstance(node, dict) else node))[:1]
        return list(dict.fromkeys(names))

    def _resolved(self, value: object) -> object:
        """Follow a reference such as {"@id": "#author"}; any other value is returned unchanged."""
        if isinstance(value, dict) and "name" not in value and isinstance(value.get("@id"), str):
            return self._by_id.get(value["@id"], value)
        return value


def _nodes(doc: Element) -> Iterator[Node]:
    """Yield the objects of all scripts, nested ones breadth first."""
    waiting: deque[object] = deque()
    for script in SCRIPT(doc):
        text = raw_text(script)
        if len(text) <= _MAX_SCRIPT_CHARACTERS:
            try:
                waiting += _listed(json.loads(text, strict=False))
            except (ValueError, RecursionError):
                continue
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for key in NESTS for inner in _listed(value.get(key)))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(value: object) -> Iterator[str]:
    """Yield the texts that a value is, holds, or has as its `@value`."""
    for item in _listed(value)[:_MAX_NODES]:
        inner = item.get("@value", item.get("url")) if isinstance(item, dict) else item
        if isinstance(inner, str) and (text := one_line(_NOT_TEXT.sub(" ", unescape(inner)))):
            yield text


def _types(node: Node) -> list[str]:
    return [kind.lower() for kind in _listed(node.get("@type")) if isinstance(kind, str)]


def _is_article(node: Node) -> bool:
    return any(kind.endswith(ARTICLE_ENDINGS) for kind in _types(node))


def _is_url(value: object, url: str) -> bool:
    address = value.get("@id") if isinstance(value, dict) else value
    return isinstance(address, str) and address.partition("#")[0].rstrip("/") == url
