"""robots.txt over real HTTP: every way that a host can answer for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.hostile import ROBOTS, Hostile
from tests.support.probe import OPEN, Crawl, crawl

NOT_READ = "Failed: robots.txt of {host} could not be read {why}: no page of it is fetched until it can"
RULES = ("200", "Refused: robots: robots.txt of {host} disallows /private/")  # /ok/ and /private/
NO_RULES = ("200", "404")
CLOSED = ("Refused: robots: robots.txt of {host} disallows /ok/", RULES[1])

OUTCOMES = {
    "star": RULES,
    "agent": RULES,
    "other": NO_RULES,
    "empty": NO_RULES,
    "bom": RULES,
    "utf16": RULES,
    "html": NO_RULES,
    "garbage": RULES,
    "huge": RULES,
    "huge-length": RULES,
    "cut-rule": RULES,
    "gzip": RULES,
    "gzip-if-asked": RULES,
    "slow": CLOSED,
    "delay": NO_RULES,
    "long-delay": NO_RULES,
    "redirect": RULES,
    "redirected": RULES,
    "redirect-to-page": RULES,
    "loop": r"\(it redirects more than 5 times\)",
    "outside": r"\(it redirects to http://example.org/robots.txt\)",
    "nowhere": r"\(302\)",
    "no-address": r"\(it redirects to http://\[::1\)",
    "bare-utf-8": RULES,
    "silent": r"\(no complete answer within 3 seconds\)",
    "reset": r"\(the server closed the connection before its answer was complete\)",
    "cut": r"\(the response ended early\)",
    "403": NO_RULES,
    "404": NO_RULES,
    "410": NO_RULES,
    "429": r"\(429\)",
    "500": r"\(500\)",
    "503": r"\(503\)",
    "none": NO_RULES,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with Hostile() as server:
        yield server


@pytest.fixture(scope="module")
def answers(server: Hostile) -> Crawl:
    pages = [
        f"http://{host}.techidaily.com{path}" for host in [*ROBOTS, "none"] for path in ("/ok/", "/private/")
    ]
    return crawl(pages, ALSOREAD_CONNECT_TO=server.url, DOWNLOAD_TIMEOUT=3, CONCURRENT_REQUESTS=99)


@pytest.mark.parametrize("label", [*ROBOTS, "none"])
def test_an_answer_has_its_outcome(answers: Crawl, label: str) -> None:
    host, expected = f"{label}.techidaily.com", OUTCOMES[label]
    pair = (NOT_READ.replace("{why}", expected),) * 2 if isinstance(expected, str) else expected
    for path, outcome in zip(("/ok/", "/private/"), pair, strict=True):
        assert re.fullmatch(outcome.format(host=host), answers.outcomes[f"http://{host}{path}"])


def test_robots_parsed_is_sent_once_for_every_file_that_was_read(answers: Crawl) -> None:
    asked_for = [url.split("/")[2].partition(".")[0] for url, _ in answers.process["robots_parsed"]]
    assert sorted(asked_for) == sorted(
        label for label, expected in OUTCOMES.items() if not isinstance(expected, str)
    )


def test_no_page_is_requested_before_the_rules_are_known(server: Hostile) -> None:
    before = len(server.hits)
    result = crawl([f"http://slow.techidaily.com/ok/{n}" for n in range(40)], ALSOREAD_CONNECT_TO=server.url)
    assert {outcome[:15] for outcome in result.outcomes.values()} == {"Refused: robots"}
    assert [hit.target for hit in server.hits[before:]] == ["/robots.txt"]


def test_one_fetch_serves_both_schemes(server: Hostile) -> None:
    before = len(server.hits)
    crawl(
        [f"{scheme}://star.techidaily.com/ok/" for scheme in ("http", "https")],
        ALSOREAD_CONNECT_TO=server.url,
    )
    assert [hit.target for hit in server.hits[before:]] == ["/robots.txt", "/ok/", "/ok/"]


def test_no_meta_key_gets_around_the_rules(server: Hostile) -> None:
    url = "http://star.techidaily.com/private/"
    page = {"url": url, "meta": {"dont_obey_robotstxt": True}}
    assert crawl([page], ALSOREAD_CONNECT_TO=server.url).outcomes[url].startswith("Refused: robots")


def test_a_file_that_could_not_be_read_is_requested_again(server: Hostile) -> None:
    before = len(server.hits)
    pages = [f"http://500.techidaily.com/{n}" for n in range(3)]
    crawl(
        pages,
        ALSOREAD_CONNECT_TO=server.url,
        CONCURRENT_REQUESTS=1,
        PROBE_PATCH={"crawler.downloader.robots.RETRY_SECONDS": 0},
    )
    assert [hit.target for hit in server.hits[before:]] == ["/robots.txt"] * 3


def test_crawl_delay_is_obeyed_and_autothrottle_does_not_undo_it(server: Hostile) -> None:
    """Not through ALSOREAD_CONNECT_TO, which switches delays off."""
    before = len(server.hits)
    crawl(
        [f"http://delay.techidaily.com:{server.port}/ok/#{n}" for n in range(4)],
        AUTOTHROTTLE_ENABLED=True,
        AUTOTHROTTLE_START_DELAY=0,
        **OPEN,
    )
    times = [hit.time for hit in server.hits[before:]]
    assert len(times) == 5
    assert times[-1] - times[0] > 0.9  # 4 times 0.3; a busy machine may be late to note the first


def test_no_crawl_delay_holds_a_crawl_for_a_day(server: Hostile) -> None:
    page = f"http://long-delay.techidaily.com:{server.port}/ok/"
    assert crawl(
        [page], PROBE_PATCH={"crawler.downloader.robots.MAX_DELAY_SECONDS": 0.1}, **OPEN
    ).outcomes == {page: "200"}
