"""Sitemaps as they should not be: what can be read is used, and the rest is counted and told."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy.http import Response

from crawler.responses import Failed
from crawler.spiders.sitemap_contents import MAX_ENTRIES, read_sitemap
from tests.site import SEED, Site
from tests.site.server import Reply
from tests.support.commands import Run, alsoread, crawl

HOST = "one.techidaily.com"
BASE = f"https://{HOST}/sitemap.xml"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def urlset(*entries: str, head: str = HEAD) -> bytes:
    urls = "".join(f"<url>{entry}</url>" for entry in entries)
    return f'{head}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()


def index(*locations: str) -> bytes:
    entries = "".join(f"<sitemap><loc>{location}</loc></sitemap>" for location in locations)
    return f"{HEAD}<sitemapindex>{entries}</sitemapindex>".encode()


def loc(path: str, lastmod: str = "") -> str:
    return f"<loc>https://{HOST}/{path}/</loc>" + (f"<lastmod>{lastmod}</lastmod>" if lastmod else "")


PAGE = f"https://{HOST}/bread/"
TIME = datetime(2024, 10, 5, 18, 35, 43, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lastmod", "time"),
    [
        ("2024-10-05T18:35:43Z", TIME),
        ("2024-10-06T08:35:43+14:00", TIME),
        ("2024-10-05T18:35:43", TIME),
        ("2024-10-05", TIME.replace(hour=0, minute=0, second=0)),
    ],
)
def test_a_time_is_read_in_utc(lastmod: str, time: datetime) -> None:
    contents = read_sitemap(Response(BASE, body=urlset(loc("bread", lastmod))), HOST)
    assert (contents.pages, contents.problems) == ([(PAGE, time)], [])


@pytest.mark.parametrize(
    "lastmod",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2999-01-01",
        "yesterday",
        "2024-13-01",
        "1e309",
    ],
)
def test_a_time_that_is_not_valid_costs_the_time_alone(lastmod: str) -> None:
    contents = read_sitemap(Response(BASE, body=urlset(loc("bread", lastmod), loc("rolls"))), HOST)
    assert contents.pages == [(PAGE, None), (f"https://{HOST}/rolls/", None)]
    assert contents.problems == [f"times of a last change that are not valid: 1, such as {lastmod!r}"]


BAD = [
    "http://[::1",
    "javascript:alert(1)",
    "https://",
    "",
    "https://one.techidaily.com:99999/",
    "mailto:a@b",
]


def test_addresses_that_are_not_valid_cost_no_other() -> None:
    body = urlset(*(f"<loc>{bad}</loc>" for bad in BAD), loc("bread"))
    contents = read_sitemap(Response(BASE, body=body), HOST)
    assert contents.pages == [(PAGE, None)]
    assert contents.problems == [f"addresses that are not valid: {len(BAD)}, such as 'http://[::1'"]


def test_an_index_with_addresses_that_are_not_valid_still_names_the_others() -> None:
    bad = [address for address in BAD if address not in ("", "https://")]  # in an index these lead to itself
    contents = read_sitemap(Response(BASE, body=index(*bad, "/sitemap1.xml")), HOST)
    assert contents.sitemaps == [f"https://{HOST}/sitemap1.xml"]
    assert contents.problems == [
        f"addresses of sitemaps that are not valid: {len(bad)}, such as 'http://[::1'"
    ]


def test_pages_of_other_hosts_are_left_out() -> None:
    body = urlset(
        "<loc>https://two.techidaily.com/bread/</loc>", loc("bread"), "<loc>https://example.org/</loc>"
    )
    contents = read_sitemap(Response(BASE, body=body), HOST)
    assert contents.pages == [(PAGE, None)]
    assert contents.problems == ["addresses on other hosts: 2, such as 'https://two.techidaily.com/bread/'"]


def test_a_sitemap_of_too_many_addresses_is_cut_loudly() -> None:
    body = urlset(*(loc(f"page-{number}") for number in range(70_000)))
    contents = read_sitemap(Response(BASE, body=body), HOST)
    assert len(contents.pages) == MAX_ENTRIES
    assert contents.problems == ["it names 70,000 addresses, and those after the first 50,000 are left out"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_sitemap_that_was_cut_short_says_so(pack: Callable[[bytes], bytes]) -> None:
    whole = urlset(*(loc(f"page-{number}") for number in range(5000)))
    packed = pack(whole)
    contents = read_sitemap(Response(BASE, body=packed[: len(packed) // 2]), HOST)
    assert 0 < len(contents.pages) < 5000
    assert contents.problems[0].startswith("it is not well-formed XML (")


def test_entities_are_not_read_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"https://{HOST}/secret/")
    head = f'{HEAD}<!DOCTYPE urlset [<!ENTITY file SYSTEM "{secret.as_uri()}">]>'
    contents = read_sitemap(Response(BASE, body=urlset("<loc>&file;</loc>", loc("bread"), head=head)), HOST)
    assert contents.pages == [(PAGE, None)]
    assert contents.problems


BOMB = urlset(*[loc("bread")] * 9, head=HEAD + " " * 64 * 2**20)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it can't be read as a sitemap"),
        (b"no xml", "it can't be read as a sitemap"),
        (b"\x1f\x8b\x08 no gzip", "it can't be read as a sitemap"),
        (gzip.compress(BOMB), "it can't be read as a sitemap"),
        (b"<html><body>Not found</body></html>", "it can't be read as a sitemap: its root element is <html>"),
    ],
    ids=["empty", "text", "no gzip", "bomb", "html"],
)
def test_what_is_no_sitemap_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(Failed, match=reason):
        read_sitemap(Response(BASE, body=body), HOST)


GARDEN = "garden-diary.techidaily.com"


@pytest.fixture(scope="module")
def damaged(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A crawl of a host with an index that names itself, another host, and a sitemap with one bad address."""
    root = Path(shutil.copytree(network, tmp_path_factory.mktemp("network") / "hosts"))
    host = root / GARDEN
    (host / "good.xml").write_bytes((host / "sitemap.xml").read_bytes())
    (host / "bad.xml").write_bytes(urlset("<loc>http://[::1</loc>", f"<loc>https://{GARDEN}/</loc>"))
    names = ("/sitemap_index.xml", "http://[::1", "https://example.org/sitemap.xml", "bad.xml", "good.xml")
    (host / "sitemap_index.xml").write_bytes(index(*names))
    return crawl(root, tmp_path_factory.mktemp("damaged"), GARDEN, "--host", "garden-*")


def test_the_rest_of_a_damaged_sitemap_is_used(damaged: Run, run: Run) -> None:
    of_host = "SELECT url FROM articles WHERE host = ? ORDER BY url"
    assert damaged.db.execute(of_host, [GARDEN]).fetchall() == run.db.execute(of_host, [GARDEN]).fetchall()
    asked = [request.path for request in damaged.site.log if request.path.endswith(".xml")]
    assert sorted(asked) == ["/bad.xml", "/good.xml", "/sitemap_index.xml"]


def test_an_alarm_names_the_sitemaps_that_could_not_be_read_whole(damaged: Run) -> None:
    assert damaged.code == 1
    (alarm,) = damaged.db.query("SELECT message, pages FROM alarms WHERE kind = 'sitemap'")
    assert alarm["message"] == f"{GARDEN}: 3 sitemaps could not be read whole; the log says why."
    for name in (
        f"https://{GARDEN}/sitemap_index.xml",
        f"https://{GARDEN}/bad.xml",
        "https://example.org/sitemap.xml",
    ):
        assert name in alarm["pages"]
        assert f"  {name}" in damaged.out


SEED_HOST = SEED.split("/")[2]


class Moved(Site):
    """The demo network, with a sitemap that is elsewhere, and one that leads back to itself."""

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        if path == "/sitemap_index.xml":
            return Reply(301, {"Location": "/circle.xml" if host == SEED_HOST else "/moved.xml"})
        if path == "/circle.xml":
            return Reply(302, {"Location": "/sitemap_index.xml"})
        return super().answer(host, path.replace("/moved.xml", "/sitemap_index.xml"), headers)


def test_a_sitemap_is_read_where_it_was_moved(run: Run, network: Path, tmp_path: Path) -> None:
    with Moved(network) as site:
        done = alsoread("crawl", GARDEN, SEED_HOST, "--connect-to", site.url, "--data", tmp_path)
    moved = Run(tmp_path, done.returncode, done.stdout, done.stderr, site)
    listed = "SELECT url FROM pages WHERE host = ? AND listed ORDER BY url"
    assert moved.db.execute(listed, [GARDEN]).fetchall() == run.db.execute(listed, [GARDEN]).fetchall()
    assert f"Warning: {SEED_HOST}: 1 sitemap could not be read whole; the log says why." in done.stdout
    assert f"  https://{SEED_HOST}/circle.xml" in done.stdout
    assert f"Warning: {GARDEN}" not in done.stdout
