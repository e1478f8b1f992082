"""Responses that WARC files have, and what became of them: the vocabulary of their import."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from crawler.items import FoundPages, Visit
from pipelines.archive import records
from pipelines.archive.warc import Location

Item = Visit | FoundPages


class Skipped(StrEnum):
    """Why a response is not imported."""

    SCOPE = "out of scope"
    ADDRESS = "no valid address or date"
    NOT_HTTP = "not HTTP"
    TOO_LARGE = "too large"
    NO_ORIGINAL = "without the response that they repeat"
    OLDER = "not newer than what the archive has"
    NOT_PAGE = "not pages of articles"


class Recorded(NamedTuple):
    """A response in a WARC file."""

    url: str
    at: datetime
    head: bytes
    """Status line and headers."""
    body: bytes
    """As it was recorded, in its framing and encoding."""
    truncated: bool
    """True where the record says that it is not whole."""


class Result(NamedTuple):
    """The items that a response gave, or why there are none."""

    items: Sequence[Item]
    skipped: Skipped | None = None


class Replayer(Protocol):
    """Reads recorded responses as a crawl does."""

    def begin(self, info: Mapping[str, str]) -> Sequence[str]:
        """Take the fields of a `warcinfo` record; return the seeds of its run."""

    def read(self, recorded: Recorded) -> Coroutine[Any, Any, Result]:
        """Return a coroutine that reads a response. It is called in the order of the records."""

    def refuse(self, page: str) -> Visit | None:
        """Return the visit of a page that robots.txt keeps a crawl from; None for any other."""

    def close(self) -> None:
        """Let go of what it holds."""


class ReplayCounts:
    """What an import took from WARC files."""

    def __init__(self) -> None:
        self.responses = 0
        self.kinds: Counter[str] = Counter()
        """Visits of pages by their result, such as `new` or `gone`."""
        self.skipped: Counter[Skipped] = Counter()


class PendingResponse(NamedTuple):
    """A response that is being read."""

    place: Location
    row: records.Row | None
    url: str
    at: datetime
    body_place: Location
    """Where the record with its body is."""
    size: int
    result: asyncio.Task[Result]
