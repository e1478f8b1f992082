"""Every fault that a server can answer with, over real HTTP: what must come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from crawler.media_types import media_type
from tests.support.hostile import COMPRESSED, HTML, NO_STATUSES, ODD_STATUSES, PAGES, Hostile
from tests.support.probe import Crawl, crawl

HOST = "http://howto.techidaily.com"
TOO_LARGE = "Refused: too-large: .* is over 10485760 bytes"
WRONG_TYPE = "Refused: wrong-type: expected HTML, got"

NO_STATUS = "Failed: the server answered with a status that is not valid"
NOT_HTTP = "Failed: the server's answer is not valid HTTP"

OUTCOMES = {
    "/ok/": "200",
    "/refresh/": "200",
    "/echo/": "200",
    "/set-cookie/": "200",
    **{f"/{name}/": "200" for name in COMPRESSED},
    **{f"/{name}-cut/": f"Failed: the response ended early: {name} without an end" for name in COMPRESSED},
    **{f"/{name}-bomb/": f"{TOO_LARGE} when unpacked" for name in COMPRESSED},
    "/bare-deflate/": "200",
    "/gzip-members/": "200",
    "/gzip-corrupt/": "Failed: the response is broken: it can't be decompressed as gzip",
    "/not-gzip/": "Failed: the response is broken: it can't be decompressed as gzip",
    "/encoding-unknown/": "Failed: the response is encoded as rot13, which was not asked for",
    "/identity/": "200",
    "/pdf.html": f"{WRONG_TYPE} application/pdf",
    "/layers-5/": "200",
    "/layers-500/": "Refused: too-large: .* is encoded 500 times over",
    "/nested-bomb/": f"{TOO_LARGE} when unpacked",
    "/close-delimited/": "Failed: the response ended early, or its end was not marked",
    "/short/": "Failed: the response ended early",
    "/chunked-cut/": "Failed: the response ended early",
    "/reset/": "Failed: the server closed the connection before its answer was complete",
    "/endless-body/": TOO_LARGE,
    "/endless-chunks/": TOO_LARGE,
    "/huge-length/": TOO_LARGE,
    "/endless-headers/": "Failed: the response headers are over 307200 bytes",
    "/endless-folding/": "Failed: the response headers are over 307200 bytes",
    "/endless-continue/": "Failed: the response headers are over 307200 bytes",
    "/endless-line/": "Failed: a response header is over 16384 bytes",
    "/many-headers/": "200",
    "/silent/": "Failed: no complete answer within 1 seconds",
    "/slow-headers/": "Failed: no complete answer within 1 seconds",
    "/slow-body/": "Failed: no complete answer within 1 seconds",
    "/octet-stream/": "200",
    "/no-type/": "200",
    "/xhtml/": "200",
    "/utf-16/": "200",
    "/plain-words/": "200",
    "/html-as-png/": f"{WRONG_TYPE} text/html sent as image/png",
    "/html-as-text/": f"{WRONG_TYPE} text/html sent as text/plain",
    "/pdf-as-html/": f"{WRONG_TYPE} application/pdf sent as text/html",
    "/png-as-html/": f"{WRONG_TYPE} image/png sent as text/html",
    "/bytes-as-html/": f"{WRONG_TYPE} application/octet-stream sent as text/html",
    "/json-as-html/": f"{WRONG_TYPE} application/json sent as text/html",
    "/pdf/": f"{WRONG_TYPE} application/pdf",
    "/words-of-no-type/": f"{WRONG_TYPE} text sent as nothing",
    "/rss/": f"{WRONG_TYPE} application/xml",
    "/empty/": "Failed: the response has no body",
    "/spaces/": "Failed: the response has no body",
    "/204/": "204",
    "/304/": "Failed: 304 Not Modified to a request that did not ask for it",
    "/404/": "404",
    "/302/": "302",
    "/503/": "503",
    **{
        f"/status-{code}/": f"Failed: the server answered with a status that is not valid: {int(code)}"
        for code in ODD_STATUSES
    },
    **{f"/status-{code}/": NOT_HTTP for code in NO_STATUSES},
    "/status-long/": NOT_HTTP,
    "/other-protocol/": NOT_HTTP,
    "/half-a-status-line/": NOT_HTTP,
    "/first-header-folded/": NOT_HTTP,
    "/version-odd/": NOT_HTTP,
    "/lengths-that-differ/": NOT_HTTP,
    "/length-negative/": NOT_HTTP,
    "/transfer-encoding-unknown/": NOT_HTTP,
    "/chunk-size-odd/": "Failed: the response ended early",
    "/private/robots": f"{WRONG_TYPE} text sent as text/plain",
    "/private/r%C3%B6bots": f"{WRONG_TYPE} text sent as text/plain",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with Hostile() as server:
        yield server


@pytest.fixture(scope="module")
def faults(server: Hostile) -> Crawl:
    slow = {"download_timeout": 1}
    pages = [{"url": HOST + path, "meta": slow if re.search("slow|silent", path) else {}} for path in PAGES]
    return crawl(pages, ALSOREAD_CONNECT_TO=server.url)


@pytest.mark.parametrize("path", PAGES)
def test_a_fault_has_its_outcome(faults: Crawl, path: str) -> None:
    assert re.fullmatch(OUTCOMES[path] + ".*", faults.outcomes[HOST + path])


@pytest.mark.parametrize(
    "path",
    [
        *(f"/{name}/" for name in COMPRESSED),
        "/bare-deflate/",
        "/gzip-members/",
        "/layers-5/",
        "/identity/",
        "/utf-16/",
    ],
)
def test_a_body_is_decoded_whole(faults: Crawl, path: str) -> None:
    assert faults.bodies[HOST + path] == HTML.decode()


@pytest.mark.long
def test_no_bomb_fills_the_memory(server: Hostile) -> None:
    bombs = [f"{HOST}{path}" for path in PAGES if re.search("bomb|endless", path)]
    assert len(bombs) == 11
    assert crawl(bombs, ALSOREAD_CONNECT_TO=server.url, CONCURRENT_REQUESTS=1).process["grown"] < 50


def test_a_row_of_comments_is_read_at_once() -> None:
    assert media_type(b"<!---->" * 140 + b"words") is None
    assert media_type(b"<!-- a --><!-- b -->\n<html>") == "text/html"


OUTSIDE = [
    "http://example.org/",
    "http://techidaily.com.example.org/",
    "http://nottechidaily.com/",
    "http://techidaily.com@example.org/",
    "http://user:secret@howto.techidaily.com/",
    "http://howto.techidaily.com:8080/",
    "https://howto.techidaily.com:80/",
    "http://techidaıly.com/",
    "http://xn--techidaly-zub.com/",
    "http://127.0.0.1/",
    "http://[::1]/",
]


def test_nothing_outside_the_scope_is_requested(server: Hostile) -> None:
    before = len(server.hits)
    pages = [{"url": url, "meta": {"allow_offsite": True, "dont_obey_robotstxt": True}} for url in OUTSIDE]
    refused = crawl(pages, ALSOREAD_CONNECT_TO=server.url)
    assert {outcome[:15] for outcome in refused.outcomes.values()} == {"Refused: scope:"}
    assert len(refused.outcomes) == len(pages)
    assert server.hits[before:] == []


def test_an_endless_address_is_a_trap(server: Hostile) -> None:
    url = f"{HOST}/{'a/' * 1100}"
    assert (
        crawl([url], ALSOREAD_CONNECT_TO=server.url).outcomes[url]
        == "Refused: trap: the address has 2228 characters"
    )


def test_validators_are_sent_and_then_a_304_passes(server: Hostile) -> None:
    validators = {"etag": '"a"', "last_modified": "Sun, 06 Oct 2024 08:00:00 GMT"}
    pages = [{"url": f"{HOST}{path}", "meta": validators} for path in ("/304/", "/echo/")]
    result = crawl(pages, ALSOREAD_CONNECT_TO=server.url)
    sent = json.loads(result.bodies[f"{HOST}/echo/"][6:-7])
    assert result.outcomes[f"{HOST}/304/"] == "304"
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"a"', "Sun, 06 Oct 2024 08:00:00 GMT")


def test_what_is_not_a_page_request_may_be_anything(server: Hostile) -> None:
    result = crawl([{"url": f"{HOST}/rss/", "meta": {"page": None}}], ALSOREAD_CONNECT_TO=server.url)
    assert result.outcomes == {f"{HOST}/rss/": "200"}


def test_the_rate_holds_over_all_hosts(server: Hostile) -> None:
    before = len(server.hits)
    crawl(
        [f"http://h{n}.techidaily.com/ok/" for n in range(6)],
        ALSOREAD_CONNECT_TO=server.url,
        ALSOREAD_RATE=20,
    )
    times = [hit.time for hit in server.hits[before:]]
    assert len(times) == 12  # robots.txt counts too
    assert times[-1] - times[0] > 0.4  # 11 times 0.05; a busy machine may be late to note the first
