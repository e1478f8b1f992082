"""Define the vocabulary: one name for one thing, as attribute, front-matter key and column.

Absent is None or an empty list, never an empty string or a made-up default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

AuthorSource = Literal["byline", "blog", "meta"]
"""Where an article's author is named: a byline in its text, the blog that published it, or the page's metadata."""

EXTRACTOR_VERSION = 2
"""Version of crawler/extractors, which every article has that it read.

Raise it with each change after which some page gives another article: `alsoread reextract --older-than-extractor`
then reads the archived articles again.
"""

State = Literal["due", "stored", "not_article", "gone", "refused", "failed"]
"""A page's state in the catalog; it is in exactly one (docs/catalog.md says what each means)."""


VALID_STATUSES = range(100, 600)
"""Statuses that HTTP has."""


class Outcome(StrEnum):
    """How a run ended, as `crawls.outcome` has it."""

    FINISHED = "finished"
    BYTES = "bytes"
    """The limits of bytes, of time and of the hours, and of free disk space, were met; the next run resumes."""
    TIME = "time"
    QUIET = "quiet"
    SPACE = "space"
    SHUTDOWN = "shutdown"
    """A signal ended the run once the pages under way were stored; after a second one it is `forced`."""
    FORCED = "forced"
    KILLED = "killed"
    """The process ended without closing the archive; the next run records it."""
    DISK = "disk"
    """The archive could not be written: by a fault of the disk, a lock of another program, a damaged catalog."""
    LOCKED = "locked"
    CATALOG = "catalog"
    IMPORTED = "imported"


def iso(moment: datetime) -> str:
    """Write a time as the archive does: ISO 8601, UTC, milliseconds, so that text sorts as time.

    >>> iso(datetime(2024, 8, 16, 4, 52, 24, 115000, tzinfo=UTC))
    '2024-08-16T04:52:24.115Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Image(NamedTuple):
    """An image in the body: its real address, and its texts."""

    url: str
    alt: str | None = None
    title: str | None = None


class Link(NamedTuple):
    """An entry of an also-read list."""

    url: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as its page states it. Times are UTC; lists are in page order."""

    url: str
    title: str | None
    author: str | None
    author_source: AuthorSource | None = None
    """None where there is no author, or where a file does not tell."""
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
    """The code that read it: `redefine` or `generic` a page, `source` a blog's own Markdown, `file` the archive's."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Front matter beyond the vocabulary, from a page's bylines or from a file; JSON can represent it."""


class ResponseRecord(NamedTuple):
    """A response as a record that a WARC file can have."""

    id: str
    payload_digest: str
    member: bytes
    """The record as a gzip member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An HTTP request and the response to it, byte for byte as on the wire."""

    url: str
    request: bytes = field(repr=False)
    response: bytes = field(repr=False)
    """Status line, headers and body, in its framing and before its content is decoded."""
    began_at: datetime
    ip: str | None = None
    """The server's address."""
    record: ResponseRecord | None = field(default=None, repr=False)
    """The response as a record; `response` then ends with its headers."""


class Reading(NamedTuple):
    """The result of extracting a page."""

    article: Article | None
    """None where the page has no article."""
    cut_off: bool = False
    """True where the page ends before its template does, so that part of the article may be missing."""
    extractor_version: int | None = None
    """Version of the extractors that read it."""


class Quarantine(NamedTuple):
    """The reason why a page is quarantined, so that it does not replace a good copy."""

    rule: str
    """The rule that it breaks; docs/alarms.md lists them."""
    body_hash: str | None
    """SHA-256 of the quarantined body; None where the page has no article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The result of fetching a page: the item that the spider yields and the pipelines store.

    `state` and `reason` become the page's. `article` is set exactly where a new copy was extracted; a visit that
    found the stored copy still valid is `stored` without one.
    """

    url: str
    state: State
    reason: str | None = None
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    retry_after: float | None = None
    """The seconds that the server asked to wait."""
    article: Article | None = None
    seconds: float | None = None
    """The seconds that the server took to respond."""
    cut_off: bool = False
    """True where the page ends before its template does."""
    extractor_version: int | None = None
    """Version of the extractors that read the article."""
    quarantine: Quarantine | None = None
    """Set on a failed visit whose page waits for someone to accept it."""
    exchanges: Sequence[Exchange] = field(default=(), repr=False)
    """What was requested for it: redirects that were followed, then the response of this visit."""
    record: int | None = None
    """The record of the response, where it was kept already."""
    record_place: tuple[str, int] | None = None
    """The file and the offset of that record, where its row is stored just before this visit."""
    at: datetime | None = None
    """When it was fetched; None for a moment ago."""


ImageState = Literal["stored", "failed", "refused", "gone"]
"""The state of an image that was requested; each means what it does for a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageVisit:
    """The result of fetching an image: the item of the images' spider. `stored` has a body and its media type."""

    url: str
    """Its address as the article has it."""
    state: ImageState
    reason: str | None = None
    status: int | None = None
    retry_after: float | None = None
    """The seconds that the server asked to wait."""
    type: str | None = None
    body: bytes = field(default=b"", repr=False)
    exchanges: Sequence[Exchange] = field(default=(), repr=False)
    """What was requested for it, as for a Visit."""


UNLINKED = 1_000_000
"""The depth of a page that only a sitemap names: greater than that of any page with a link to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPages:
    """Pages that seeds or a sitemap name: the other item that the spider yields."""

    pages: Sequence[tuple[str, datetime | None]]
    """Canonical addresses, each with the time of its last change where a sitemap has it."""
    depth: int = 0
    """The number of also-read links from a seed to these pages."""
    host: str | None = None
    """The host whose sitemap names them."""
    unread: bool = False
    """True where the sitemap could not be read."""
    asked_for: bool = False
    """True where the user named them: they are queued again even if they failed."""
    at: datetime | None = None
    """When they were found; None for a moment ago."""
