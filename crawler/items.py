"""The vocabulary: one name for one thing, as attribute, front-matter key and column.

Absent is None or an empty list, never an empty string or a made-up default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

AuthorSource = Literal["byline", "blog", "meta"]
"""What names an article's author: a byline in its text, the blog that published it, or the page's metadata."""

State = Literal["due", "stored", "not_article", "gone", "refused", "failed"]
"""What is known of a page; a page is in exactly one state (docs/catalog.md says what each means)."""


def iso(moment: datetime) -> str:
    """A moment as the archive writes it: ISO 8601, UTC, milliseconds, so that text sorts as time.

    >>> iso(datetime(2024, 8, 16, 4, 52, 24, 115000, tzinfo=UTC))
    '2024-08-16T04:52:24.115Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Image(NamedTuple):
    """A picture in the body: its real address, and what the page says of it."""

    url: str
    alt: str | None = None
    title: str | None = None


class Link(NamedTuple):
    """One entry of an also-read list."""

    url: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What an article page says. Times are UTC; lists are in page order."""

    url: str
    title: str | None
    author: str | None
    author_source: AuthorSource | None = None
    """None where there is no author, or a file does not say."""
    date: datetime | None
    updated: datetime | None
    tags: list[str]
    categories: list[str]
    description: str | None
    keywords: str | None
    thumbnail: str | None
    lang: str | None
    license: str | None
    body: str
    images: list[Image]
    also_read: list[Link]
    extractor: str
    """What read it: `redefine` or `generic` from a page, `source` from a blog's own Markdown, `file` from ours."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Front matter beyond the vocabulary, as JSON can say it: what a page's bylines or a file say."""


class Reading(NamedTuple):
    """What a page was read as."""

    article: Article | None
    """None where the page holds no article."""
    cut_off: bool = False
    """The page ends before its template does, so that a part of the article may be missing."""


class Quarantine(NamedTuple):
    """Why a reading is kept out of the archive, so that it does not replace a good copy."""

    rule: str
    """The rule that it breaks; docs/alarms.md lists them."""
    body_hash: str | None
    """SHA-256 of the body that was read; None where the page held no article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one fetch of a page came to: the item that the spider yields and the pipelines store.

    `state` and `reason` settle the page. `article` is there exactly when a new copy of an article was
    read; a visit that found the stored copy still valid is `stored` without one.
    """

    url: str
    state: State
    reason: str | None = None
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    retry_after: float | None = None
    """Seconds that the server asked to be left alone."""
    article: Article | None = None
    seconds: float | None = None
    """How long the server took to answer."""
    cut_off: bool = False
    """The page ends before its template does."""
    html: bytes | None = field(default=None, repr=False)
    """The page as it came, until it is known to be good."""
    quarantine: Quarantine | None = None
    """Set on a failed visit whose page waits for a person's decision."""


PictureState = Literal["stored", "failed", "refused", "gone"]
"""What is known of a picture that was asked for, as with pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What one fetch of a picture came to: the item of the pictures' spider. `stored` has a body and its type."""

    url: str
    """As the article has it."""
    state: PictureState
    reason: str | None = None
    status: int | None = None
    retry_after: float | None = None
    """Seconds that the server asked to be left alone."""
    type: str | None = None
    body: bytes = field(default=b"", repr=False)


UNLINKED = 1_000_000
"""The depth of a page that only a sitemap names: farther than any way of links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Pages that a seed or a sitemap names: the other item that the spider yields."""

    pages: Sequence[tuple[str, datetime | None]]
    """Canonical addresses, each with the time of its last change where the sitemap says so."""
    depth: int = 0
    """Also-read links between a seed and these pages."""
    host: str | None = None
    """Whose sitemap names them."""
    unread: bool = False
    """The sitemap could not be read."""
    asked_for: bool = False
    """Named by the user: due again also where they failed."""
