"""Every answer settles a page, with a reason that a person understands."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.http import HtmlResponse, Response

from crawler import responses
from crawler.items import Visit

URL = "https://one.techidaily.com/bread/"
BUSY = "the server answers 503 Service Unavailable"
TOO_MANY = "the server answers 429 Too Many Requests"


def answer(status: int, **headers: str) -> Response:
    return HtmlResponse(URL, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("response", "facts"),
    [
        (answer(304), {"state": "stored"}),
        (answer(599), {"state": "failed", "reason": "the server answers 599 (no known status)"}),
        (answer(503, Retry_After="7"), {"state": "failed", "reason": BUSY, "retry_after": 7}),
        (answer(429, Retry_After="1000000000"), {"state": "failed", "reason": TOO_MANY, "retry_after": 3600}),
        (
            answer(429, Retry_After="Fri, 31 Dec 2999 23:59:59 GMT"),
            {"state": "failed", "reason": TOO_MANY, "retry_after": 3600},
        ),
        (
            answer(429, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"),
            {"state": "failed", "reason": TOO_MANY, "retry_after": None},
        ),
        (
            answer(429, Retry_After="Fri, 31 Dec 9999 23:59:59 -1400"),
            {"state": "failed", "reason": TOO_MANY, "retry_after": 3600},
        ),
        *(
            (
                answer(429, Retry_After=f"Fri, {day} Dec {year} 23:59:59 GMT"),
                {"state": "failed", "reason": TOO_MANY, "retry_after": None},
            )
            for day, year in (("9" * 20, "2027"), ("31", "9" * 20), ("0", "2027"))
        ),
        (answer(429, Retry_After="-5"), {"state": "failed", "reason": TOO_MANY, "retry_after": None}),
        (answer(429, Retry_After="soon"), {"state": "failed", "reason": TOO_MANY, "retry_after": None}),
        (
            answer(301, Location="/rolls#top"),
            {
                "state": "not_article",
                "reason": "redirects to https://one.techidaily.com/rolls/",
                "moved_to": "https://one.techidaily.com/rolls/",
            },
        ),
        (
            answer(302, Location="http://one.techidaily.com/bread"),
            {"state": "failed", "reason": "redirects to itself: 'http://one.techidaily.com/bread'"},
        ),
        (
            answer(302, Location="data:,x"),
            {"state": "failed", "reason": "redirects to what is no address: 'data:,x'"},
        ),
        (answer(302), {"state": "failed", "reason": "redirects without saying where"}),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_an_answer_without_an_article(response: Response, facts: dict[str, Any]) -> None:
    expected = {"reason": None, **facts}
    visit = responses.classify_response(URL, response)
    assert visit == Visit(url=URL, status=response.status, **{"retry_after": None, **expected})


def test_a_page_to_read_is_not_settled() -> None:
    assert responses.classify_response(URL, answer(200)) is None


def test_a_redirect_to_another_spelling_of_the_page_is_followed() -> None:
    there = "https://one.techidaily.com/bread"
    assert responses.same_page_redirect(URL, answer(301, Location="/bread")) == there
    for elsewhere in ["/rolls", "http://[", "http://one.techidaily.com/bread", "", URL]:
        assert responses.same_page_redirect(URL, answer(301, Location=elsewhere)) is None


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (responses.Refused("robots", "no"), "refused", "robots: no"),
        (responses.Failed("cut short"), "failed", "cut short"),
        (RuntimeError("odd"), "failed", "an unexpected error; the log has the details"),
    ],
)
def test_an_error_says_what_it_means(error: Exception, state: str, reason: str) -> None:
    visit = responses.classify_error(URL, error)
    assert (visit.state, visit.reason) == (state, reason)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://pictures.example/loaf.png", "https://pictures.example/loaf.png"),
        ("/loaf.png", "https://one.techidaily.com/loaf.png"),
        ("http://pictures.example/loaf.png", None),
        ("HTTP://pictures.example/loaf.png", None),
        ("", None),
    ],
)
def test_no_redirect_leads_out_of_tls(location: str, target: str | None) -> None:
    assert responses.redirect_target(answer(302, Location=location)) == target


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/café/".encode(), "/caf%C3%A9/"),
        ("/café/".encode("latin-1"), "/caf%E9/"),
        (b"/caf%C3%A9/", "/caf%C3%A9/"),
        ("https://one.techidaily.com/\u8336/".encode(), "/%E8%8C%B6/"),
    ],
)
def test_a_redirect_leads_where_its_bytes_say(location: bytes, target: str) -> None:
    visit = responses.classify_response(URL, Response(URL, status=301, headers={"Location": location}))
    assert visit
    assert visit.moved_to == f"https://one.techidaily.com{target}"
