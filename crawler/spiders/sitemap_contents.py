"""Parse a sitemap or an index of sitemaps, and report what of it is not valid. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from lxml.etree import LxmlError
from scrapy.http import Response
from scrapy.utils.gz import gunzip, gzip_magic_number
from scrapy.utils.sitemap import Sitemap

from crawler.clock import now, parse_time
from crawler.responses import Failed
from crawler.urls import canonical_or_none, host_of

MAX_ENTRIES = 50_000
"""Addresses that are read of one sitemap: the protocol allows no more."""
_MAX_BYTES = 10 * 2**20
_MAX_AHEAD = timedelta(days=3650)
"""A time farther ahead is a slip, behind which no change would be noticed any more."""
_MAX_QUOTE_CHARACTERS = 100


@dataclass(slots=True)
class SitemapContents:
    """What a sitemap names."""

    sitemaps: list[str] = field(default_factory=list)
    """Addresses of other sitemaps, where it is an index."""
    pages: list[tuple[str, datetime | None]] = field(default_factory=list)
    """Canonical addresses of pages, each with its last change in UTC where that is known."""
    problems: list[str] = field(default_factory=list)
    """What could not be used, as clauses; empty where all could be."""


def read_sitemap(response: Response, host: str) -> SitemapContents:
    """Return what the sitemap of a host names. Raises Failed where it can't be read as a sitemap at all."""
    if response.status != 200:
        raise Failed(f"the server answers {response.status}")
    try:
        packed = gzip_magic_number(response)
        sitemap = Sitemap(gunzip(response.body, max_size=_MAX_BYTES) if packed else response.body)
        entries = list(sitemap)
    except StopIteration:
        raise Failed("it can't be read as a sitemap: it holds no XML") from None
    except (LxmlError, OSError, EOFError, ValueError, zlib.error) as error:
        raise Failed(f"it can't be read as a sitemap: {error}") from None
    if sitemap.type not in ("urlset", "sitemapindex"):
        raise Failed(
            f"it can't be read as a sitemap: its root element is <{sitemap.type[:_MAX_QUOTE_CHARACTERS]}>"
        )
    unusable = _Unusable()
    contents = SitemapContents()
    if sitemap.type == "sitemapindex":
        contents.sitemaps = list(_sitemaps(entries[:MAX_ENTRIES], response.url, unusable))
    else:
        contents.pages = list(_pages(entries[:MAX_ENTRIES], host, unusable))
    contents.problems = unusable.clauses()
    if len(entries) > MAX_ENTRIES:
        contents.problems.append(
            f"it names {len(entries):,} addresses, and those after the first {MAX_ENTRIES:,} are left out"
        )
    if errors := sitemap.xmliter.error_log:
        contents.problems.append(f"it is not well-formed XML ({errors[0].message})")
    return contents


class _Unusable:
    """Count what is left out, with the first example of each kind."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, what: str, value: str) -> None:
        self._found.setdefault(what, []).append(value)

    def clauses(self) -> list[str]:
        return [
            f"{what}: {len(values):,}, such as {values[0][:_MAX_QUOTE_CHARACTERS]!r}"
            for what, values in self._found.items()
        ]


def _sitemaps(entries: list[dict[str, Any]], base: str, unusable: _Unusable) -> Iterator[str]:
    for entry in entries:
        if url := absolute(base, entry["loc"]):
            yield url
        else:
            unusable.add("addresses of sitemaps that are not valid", entry["loc"])


def absolute(base: str, reference: str) -> str | None:
    """Return the web address that a reference on a page leads to; None where it leads to no such address.

    >>> absolute("https://one.techidaily.com/robots.txt", "/sitemap.xml"), absolute("https://one/", "http://[::1")
    ('https://one.techidaily.com/sitemap.xml', None)
    """
    try:
        url = urljoin(base, reference)
    except ValueError:
        return None
    return url if canonical_or_none(url) else None


def _pages(
    entries: list[dict[str, Any]], host: str, unusable: _Unusable
) -> Iterator[tuple[str, datetime | None]]:
    for entry in entries:
        url = canonical_or_none(entry["loc"])
        if url is None:
            unusable.add("addresses that are not valid", entry["loc"])
            continue
        if host_of(url) != host:  # a sitemap speaks for its own host alone
            unusable.add("addresses on other hosts", entry["loc"])
            continue
        lastmod = entry.get("lastmod", "")
        time = _time(lastmod)
        if lastmod and not time:
            unusable.add("times of a last change that are not valid", lastmod)
        yield url, time


def _time(lastmod: str) -> datetime | None:
    """Return a W3C date or time in UTC; None for anything else, and for one years ahead."""
    time = parse_time(lastmod)
    return time if time and time <= now() + _MAX_AHEAD else None
