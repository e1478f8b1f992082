"""Map a response or download error to the page's new state, with a reason for humans."""

from __future__ import annotations

import logging
import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urljoin

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response

from crawler.clock import now
from crawler.items import ImageState, ImageVisit, Reading, State, Visit
from crawler.media_types import image_type
from crawler.urls import canonical_or_none

Rule = Literal["robots", "scope", "address", "too-large", "wrong-type", "trap"]

MAX_REDIRECTS = 5
"""Redirects in a row that are followed: what RFC 9309 asks for robots.txt, and enough for all else."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_MAX_RETRY_AFTER_SECONDS = 3600.0
"""A longer Retry-After counts as this."""
# As the header has it: w3lib leaves out labels that Python does not know.
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)

logger = logging.getLogger(__name__)


class Refused(IgnoreRequest):
    """Raised for a page that must not be fetched or kept: the rule that says so, and what it met."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")


class Failed(Exception):
    """Raised for a fetch that went wrong and is worth another try later: what happened."""


def classify_error(url: str, error: BaseException, status: int | None = None) -> Visit:
    """Map an error in fetching a page, or in reading its response with `status`, to the page's new state."""
    state: State = "refused" if isinstance(error, Refused) else "failed"
    return Visit(url=url, state=state, reason=in_words(error, url), status=status)


def in_words(error: BaseException, url: str) -> str:
    """Return why an address failed, for humans. An unexpected error is logged."""
    if isinstance(error, Refused | Failed):
        return str(error)
    logger.error("An unexpected error over %s: %r", url, error, exc_info=error)
    return "an unexpected error; the log has the details"


def same_page_redirect(url: str, response: Response) -> str | None:
    """Return where a redirect to another spelling of the same address leads; None otherwise."""
    if response.status not in _MOVED:
        return None
    target = target_of(response)
    stays = target.startswith("https://") and target != response.url and canonical_or_none(target) == url
    return target if stays else None


def classify_response(url: str, response: Response) -> Visit | None:
    """Map a response to the page's new state; None where it is a page to extract."""
    status = response.status
    if status == 200:
        return None
    facts: dict[str, Any] = {"url": url, "status": status}
    if status == 304:
        return Visit(state="stored", **facts)
    if status in _MOVED:
        return _moved(facts, response)
    reason = f"the server answers {status} {_phrase(status)}"
    if status in _GONE:
        return Visit(state="gone", reason=reason, **facts)
    return Visit(state="failed", reason=reason, retry_after=_retry_after(response), **facts)


def classify_reading(url: str, response: Response, reading: Reading) -> Visit:
    """Return the visit of a page that was extracted, with its validators."""
    if reading.article is None:
        return Visit(url=url, state="not_article", status=response.status, reason="no article on this page")
    return Visit(
        url=url,
        state="stored",
        status=response.status,
        etag=_header(response, "ETag"),
        last_modified=_header(response, "Last-Modified"),
        article=reading.article,
        cut_off=reading.cut_off,
        extractor_version=reading.extractor_version,
    )


def charset_of(response: Response) -> str | None:
    """Return the charset that a response's header names, if any; it may be unknown, or not the page's."""
    return charset_in(_header(response, "Content-Type") or "")


def charset_in(text: str) -> str | None:
    """Return the first charset that a header, or a response's head, names."""
    named = _CHARSET.search(text)
    return named[1] if named else None


def classify_image(url: str, response: Response) -> ImageVisit:
    """Map a response to an image request, other than a followed redirect, to the image's new state."""
    facts: dict[str, Any] = {"url": url, "status": response.status}
    if response.status in _MOVED:
        reason = f"redirects to {target_of(response)!r}, which was not followed"
        return ImageVisit(state="failed", reason=reason, **facts)
    if visit := classify_response(url, response):
        state: ImageState = "gone" if visit.state == "gone" else "failed"
        return ImageVisit(state=state, reason=visit.reason, retry_after=visit.retry_after, **facts)
    if kind := image_type(response.body):
        return ImageVisit(state="stored", type=kind, body=response.body, **facts)
    if not response.body:
        return ImageVisit(state="failed", reason="the response has no body", **facts)
    sent_as = (_header(response, "Content-Type") or "").partition(";")[0][:100] or "nothing"
    reason = f"wrong-type: the response, sent as {sent_as}, is not a supported image type"
    return ImageVisit(state="refused", reason=reason, **facts)


def classify_image_error(url: str, error: BaseException) -> ImageVisit:
    """Map an error in fetching an image to the image's new state."""
    visit = classify_error(url, error)
    state: ImageState = "refused" if visit.state == "refused" else "failed"
    return ImageVisit(url=url, state=state, reason=visit.reason)


def redirect_target(response: Response) -> str | None:
    """Return the target of a redirect to follow; None for any other response, and for a downgrade to http."""
    target = target_of(response)
    if response.status not in _MOVED or not target:
        return None
    downgraded = response.url.startswith("https://") and target.lower().startswith("http://")
    return None if downgraded else target


def follow(response: Response, target: str | None) -> Request | None:
    """Return the request that follows a redirect to `target`; None without one, and after MAX_REDIRECTS in a row.

    Raises ValueError where the target is no address.
    """
    hops = response.meta.get("hops", 0)
    if target is None or hops == MAX_REDIRECTS:
        return None
    assert response.request is not None  # noqa: S101
    # The target may be of another host, which has a download slot of its own.
    meta = {key: value for key, value in response.meta.items() if key != "download_slot"}
    return response.request.replace(url=target, meta=meta | {"hops": hops + 1})


def target_of(response: Response) -> str:
    """Return where a response's Location leads, which may be no address; empty where it has none."""
    location = _location(response)
    try:
        return location and urljoin(response.url, location)
    except ValueError:
        return location


def _header(response: Response, name: str) -> str | None:
    return (response.headers.get(name) or b"").decode("latin-1") or None


def _moved(facts: dict[str, Any], response: Response) -> Visit:
    location = _location(response)
    if not location:
        return Visit(state="failed", reason="redirects without saying where", **facts)
    moved_to = canonical_or_none(target_of(response))
    if moved_to is None:
        return Visit(state="failed", reason=f"redirects to what is no address: {location!r}", **facts)
    if moved_to == facts["url"]:
        return Visit(state="failed", reason=f"redirects to itself: {location!r}", **facts)
    return Visit(state="not_article", reason=f"redirects to {moved_to}", moved_to=moved_to, **facts)


def _location(response: Response) -> str:
    """Return a redirect's header. Many servers send bare UTF-8, and some the bytes of a path as they are."""
    return (response.headers.get("Location") or b"").decode("utf-8", "percentencode")  # a handler of w3lib's


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no known status)"


def _retry_after(response: Response) -> float | None:
    """Return the seconds that a number or a date says; None where the header has neither."""
    value = (_header(response, "Retry-After") or "").strip()
    try:
        seconds = float(value) if value.isdigit() else (parsedate_to_datetime(value) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):  # also a date of a day beyond all numbers
        return None
    return min(seconds, _MAX_RETRY_AFTER_SECONDS) if seconds > 0 else None
