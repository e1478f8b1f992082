"""The wire: which addresses and certificates are accepted, and the server that stands in for all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy.resolver import dnscache
from scrapy.settings import Settings
from twisted.internet.error import DNSLookupError

from crawler.downloader.handler import connect_to
from crawler.downloader.resolver import PublicOnlyResolver
from tests.support.certificates import Authority
from tests.support.hostile import Hostile
from tests.support.probe import OPEN, crawl


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with Hostile() as server:
        yield server


HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0",
    "localhost",
    "10.0.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
]


def test_no_form_of_a_private_address_is_connected_to(server: Hostile) -> None:
    before = len(server.hits)
    pages = [f"http://{host}:{server.port}/ok/" for host in HOSTS]
    outcomes = crawl(pages, PROBE_WITHOUT=["crawler.downloader.middlewares.Scope"]).outcomes
    assert {url: outcome[:17] for url, outcome in outcomes.items()} == dict.fromkeys(
        pages, "Refused: address:"
    )
    assert server.hits[before:] == []


def test_a_name_that_changed_its_address_is_checked_anew() -> None:
    """Also where the answer comes from the cache: the address that is given out is the one connected to."""
    resolver = PublicOnlyResolver(None, 10, 1)  # type: ignore[arg-type]
    errors: list[object] = []
    for address in ("93.184.215.14", "127.0.0.1"):
        dnscache["rebound.techidaily.com"] = address
        answer = resolver.getHostByName("rebound.techidaily.com")
        answer.addCallbacks(errors.append, lambda failure: errors.append(failure.trap(DNSLookupError)))
    assert errors == ["93.184.215.14", DNSLookupError]


@pytest.mark.parametrize(
    "value",
    [
        "http://10.0.0.1:80",
        "http://example.org:80",
        "https://127.0.0.1:443",
        "http://127.0.0.1",
        "127.0.0.1:80",
        "http://[::1:",
    ],
)
def test_only_loopback_may_stand_in_for_the_hosts(value: str) -> None:
    with pytest.raises(ValueError, match="ALSOREAD_CONNECT_TO must be a loopback address"):
        connect_to(Settings({"ALSOREAD_CONNECT_TO": value}))


def test_no_server_stands_in_by_default() -> None:
    assert connect_to(Settings()) is None
    assert connect_to(Settings({"ALSOREAD_CONNECT_TO": "http://127.0.0.1:8080"})) == ("127.0.0.1", 8080)


def test_the_stand_in_gets_every_request_as_the_host_would(server: Hostile) -> None:
    before = len(server.hits)
    pages = [f"{scheme}://h{n}.techidaily.com/echo/" for scheme in ("http", "https") for n in range(20)]
    result = crawl(pages, ALSOREAD_CONNECT_TO=server.url, CONCURRENT_REQUESTS=4)
    assert result.outcomes == dict.fromkeys(pages, "200")  # known by the address that was asked for
    for page in pages:
        sent = json.loads(result.bodies[page][6:-7])
        assert (sent["host"], sent["target"]) == (page.split("/")[2], "/echo/")
    hits = server.hits[before:]
    assert sum(hit.target == "/robots.txt" for hit in hits) == 20
    assert (
        len({hit.connection for hit in hits}) <= 10
    )  # kept alive, for http and https 4 and a few for robots.txt


def test_certificates_are_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    name = "howto.techidaily.com"

    def server_of(certified: str, **faults: Any) -> Hostile:
        return Hostile(authority.context(certified, **faults))

    cases = [
        (name, server_of(name), "200"),
        ("other.techidaily.com", server_of("other.techidaily.com"), "200"),
        (name, server_of("other.techidaily.com"), "Failed: TLS: the certificate is for another name"),
        (name, server_of(name, days=-1), "Failed: TLS: certificate verify failed"),
        (name, server_of(name, own=True), "Failed: TLS: certificate verify failed"),
        (name, server_of(name, old=True), "Failed: "),
    ]
    with contextlib.ExitStack() as stack:
        servers = [(host, stack.enter_context(server)) for host, server, _ in cases]
        pages = [f"https://{host}:{server.port}/ok/" for host, server in servers]
        outcomes = crawl(pages, {"SSL_CERT_FILE": str(authority.file)}, ROBOTSTXT_OBEY=False, **OPEN).outcomes
    for page, (_, _, outcome) in zip(pages, cases, strict=True):
        assert outcomes[page].startswith(outcome)
