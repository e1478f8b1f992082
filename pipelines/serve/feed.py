"""Write the Atom feed of new and changed articles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from feedgen.feed import FeedGenerator

from pipelines.serve.addresses import page_of

LENGTH = 50
"""Articles in a feed."""
_EPOCH = "1970-01-01T00:00:00Z"
"""When a feed without articles changed last."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNKNOWN_AUTHOR = "unknown"


def atom(articles: Iterable[Mapping[str, Any]], site: str) -> bytes:
    """Return the feed; `site` is the address of the server, with a slash at its end."""
    articles = list(articles)
    feed = FeedGenerator()
    feed.id(f"{site}feed.atom")
    feed.title("New and changed articles")
    feed.link(href=f"{site}feed.atom", rel="self", type="application/atom+xml")
    feed.link(href=site, rel="alternate", type="text/html")
    feed.updated(max((article["changed_at"] for article in articles), default=_EPOCH))
    for article in articles:
        is_new = article["changed_at"] == article["archived_at"]
        entry = feed.add_entry(order="append")
        # An entry for each version: a reader shows an entry that it knows as read.
        entry.id(f"{article['url']}#{article['changed_at']}")
        entry.title(_text(article["title"] or article["url"]))
        entry.author(name=_text(article["author"] or _UNKNOWN_AUTHOR))
        entry.link(href=site.rstrip("/") + page_of(article["url"]))
        entry.updated(article["changed_at"])
        if article["date"]:
            entry.published(article["date"])
        if article["description"]:
            entry.summary(_text(article["description"]))
        entry.category(term="new" if is_new else "changed", label="New" if is_new else "Changed")
        for tag in json.loads(article["tags"]):
            entry.category(term=_text(tag))
    content: bytes = feed.atom_str(pretty=True)
    return content


def _text(value: str) -> str:
    """Replace characters that XML has no way to write."""
    return _NOT_XML.sub("\ufffd", value)
