"""One form for what is the same: the same page gives the same bytes on any machine."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from crawler.items import Article, Image, Link, Visit
from crawler.urls import canonical

# Control characters but tab and newline, marks that no reader sees, half surrogates, spaces that look like one.
_JUNK = "\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffe\uffff"
_SURROGATES = "\ud800-\udfff"
_ODD_SPACES = "\u00a0\u2007\u202f"
_ODD = re.compile(f"[{_JUNK}{_SURROGATES}{_ODD_SPACES}]")
_QUOTES = re.compile(r'^"(.*)"$')


def normalize(article: Article) -> Article:
    """The article in its normal form. Applying it twice changes nothing."""
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
        body=_text(article.body).strip("\n"),
        images=[Image(_text(image.url), _line(image.alt), _line(image.title)) for image in article.images],
        also_read=_links(article.also_read),
    )


def _text(text: str) -> str:
    # What can be shown is as it has to be, but for the form of its accents: told much faster than by looking for odd.
    if not text.replace("\n", "").replace("\t", "").isprintable():
        text = _ODD.sub(_plain, text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _plain(odd: re.Match[str]) -> str:
    if odd[0] in _ODD_SPACES:
        return " "
    return "\ufffd" if "\ud800" <= odd[0] <= "\udfff" else ""


def _line(text: str | None) -> str | None:
    if text and text.isascii() and text.isprintable() and "  " not in text and " " not in (text[0], text[-1]):
        return text
    return " ".join(_text(text).split()) or None if text else None


def _unquoted(text: str | None) -> str | None:
    """Without the quotes that the sites' own YAML left round it.

    >>> _unquoted('"[New]  A  Guide"'), _unquoted('"Hello" and "Goodbye"')
    ('[New] A Guide', '"Hello" and "Goodbye"')
    """
    line = _line(text)
    if line and (match := _QUOTES.match(line)) and '"' not in match[1]:
        return match[1].strip() or None
    return line


def _lines(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(line for text in texts if (line := _line(text))))


def _utc(moment: datetime | None) -> datetime | None:
    """UTC with milliseconds, as it is written: a time without zone counts as UTC."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _links(links: Iterable[Link]) -> list[Link]:
    """In page order, each target once; what is no address on the web is left out."""
    found: dict[str, Link] = {}
    for link in links:
        try:
            url = canonical(link.url)
        except ValueError:
            continue
        found.setdefault(url, Link(url, _line(link.text) or url))
    return list(found.values())


class Normalize:
    """Pipeline: articles in their normal form."""

    def process_item(self, item: Any) -> Any:
        """The visit with its article normalised."""
        if isinstance(item, Visit) and item.article:
            return replace(item, article=normalize(item.article))
        return item
