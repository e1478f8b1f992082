"""Normalize articles: the same page gives the same bytes on any machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawler.clock import utc
from crawler.items import Article, Image, Link, Visit
from crawler.text import normal, normal_markdown, unquote
from crawler.urls import canonical


def normalize(article: Article) -> Article:
    """Return an article in its normal form. Applying it twice changes nothing.

    The meaning of a body stays: the extractors write it from text in its normal form, and any other is left alone.
    """
    return replace(
        article,
        url=canonical(article.url),
        title=_unquoted(article.title),
        author=_line(article.author),
        date=_utc(article.date),
        updated=_utc(article.updated),
        tags=_lines(article.tags),
        categories=_lines(article.categories),
        description=_unquoted(article.description),
        keywords=_unquoted(article.keywords),
        thumbnail=_line(article.thumbnail),
        license=_line(article.license),
        body=normal_markdown(article.body),
        images=[Image(normal(image.url), _line(image.alt), _line(image.title)) for image in article.images],
        also_read=_links(article.also_read),
    )


def _line(text: str | None) -> str | None:
    if text and text.isascii() and text.isprintable() and "  " not in text and " " not in (text[0], text[-1]):
        return text
    return " ".join(normal(text).split()) or None if text else None


def _unquoted(text: str | None) -> str | None:
    line = _line(text)
    return (unquote(line) or None) if line else None


def _lines(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(line for text in texts if (line := _line(text))))


def _utc(moment: datetime | None) -> datetime | None:
    """Convert a time to UTC and cut it to milliseconds, as the archive writes it."""
    if moment is None:
        return None
    moment = utc(moment)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _links(links: Iterable[Link]) -> list[Link]:
    """Return the links in page order, each target once; other than web addresses are left out."""
    distinct: dict[str, Link] = {}
    for link in links:
        try:
            url = canonical(link.url)
        except ValueError:
            continue
        distinct.setdefault(url, Link(url, _line(link.text) or url))
    return list(distinct.values())


class Normalize:
    """Item pipeline: bring articles into their normal form."""

    def process_item(self, item: Any) -> Any:
        """Return the visit with its article normalized."""
        if isinstance(item, Visit) and item.article:
            return replace(item, article=normalize(item.article))
        return item
