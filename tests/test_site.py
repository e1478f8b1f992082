"""The demo network and its server are what the other tests take them for."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest

from crawler.items import iso
from crawler.urls import canonical
from tests.site import SEED, Post, Site, build, posts

DEMO = Path(__file__).parents[1] / "data" / "demo"
HREF = re.compile(r'<li><a href="([^"]+)">')
SPECIAL = re.compile(r"^\| `(\w+:[^`]+)` \| (\w+)", re.MULTILINE)
SPELLED = re.compile(r"^\| `([\w-]+)`/`([^`]+)` \|", re.MULTILINE)
ORPHAN = re.compile(r"^\| only in a sitemap \| `([\w-]+)`/`([\w-]+)` \|$", re.MULTILINE)
README = (DEMO / "README.md").read_text(encoding="utf-8")
POSTS = posts(DEMO)


@pytest.fixture
def site(network: Path) -> Iterator[Site]:
    with Site(network) as site:
        yield site


def get(site: Site, url: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    place = urlsplit(url)
    connection = HTTPConnection(urlsplit(site.url).netloc)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", quote(place.path, safe="/%"), headers={"Host": place.netloc, **fields})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def hrefs(post: Post) -> list[str]:
    return HREF.findall(post.source)


def in_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_building_twice_gives_the_same_bytes(network: Path, tmp_path: Path) -> None:
    build(DEMO, tmp_path)
    assert in_bytes(tmp_path) == in_bytes(network)


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.slug)
def test_every_post_is_served(site: Site, post: Post) -> None:
    response, page = get(site, post.url)
    assert response.status == 200
    assert f'<link rel="canonical" href="{post.url}"' in page.decode()
    assert [(r.host, r.path, r.status) for r in site.log] == [(post.blog.host, urlsplit(post.url).path, 200)]


def test_a_page_that_did_not_change_is_not_sent_again(site: Site) -> None:
    first, _ = get(site, SEED)
    for condition in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_Modified_Since": first.headers["Last-Modified"]},
    ):
        response, body = get(site, SEED, **condition)
        assert (response.status, body) == (304, b"")
    changed, _ = get(site, SEED, If_None_Match='"another"', If_Modified_Since=first.headers["Last-Modified"])
    assert changed.status == 200


def test_a_page_is_compressed_when_asked(site: Site) -> None:
    _, plain = get(site, SEED)
    response, packed = get(site, SEED, Accept_Encoding="gzip, deflate")
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/tea-time", 301, "/tea-time/"),
        ("/café-au-lait-without-a-machine", 301, "/caf%C3%A9-au-lait-without-a-machine/"),
        ("/how-to-sharpen-a-knife/", 301, "/sharpening-a-kitchen-knife/"),
        ("/about", 200, None),
        ("/images/loading.svg", 200, None),
        ("/nothing-here/", 404, None),
        (f"/{'long-' * 60}/", 404, None),
        ("/a%00b/", 404, None),
        ("/..%2fgarden-diary.techidaily.com/index.html", 404, None),
    ],
)
def test_addresses_are_answered_as_a_static_host_does(
    site: Site, path: str, status: int, location: str | None
) -> None:
    response, body = get(site, f"https://kitchen-notes.techidaily.com{path}")
    assert (response.status, response.headers["Location"]) == (status, location)
    assert ("404 Page Not Found" in body.decode()) == (status == 404)


def test_a_host_that_is_not_there_has_no_pages(site: Site) -> None:
    response, body = get(site, "https://nobody.techidaily.com/")
    assert (response.status, body) == (404, b"")


def test_every_also_read_link_is_a_post_or_a_listed_special_case() -> None:
    addresses = {post.url for post in POSTS}
    links = {href for post in POSTS for href in hrefs(post)}
    special = {href for href in links if not href.startswith("http") or canonical(href) not in addresses}
    assert special == {address for address, _ in SPECIAL.findall(README)}


def test_every_other_spelling_is_listed() -> None:
    links = {href for post in POSTS for href in hrefs(post) if href.startswith("http")}
    respelled = {unquote(canonical(href)) for href in links if unquote(canonical(href)) != href}
    assert respelled == {f"https://{host}.techidaily.com/{slug}/" for host, slug in SPELLED.findall(README)}


def test_the_readme_names_only_what_is_there() -> None:
    assert f"{len(POSTS)} posts" in README
    places = [line.rsplit("|", 2)[1] for line in README.partition("## What")[2].splitlines()[4:]]
    named = {name for place in places for name in re.findall("`([^`]+)`", place)}
    hosts = {post.blog.host.partition(".")[0] for post in POSTS}
    files = {path.name for path in DEMO.glob("*/*.md")}
    assert named <= hosts | files | {post.slug for post in POSTS}


def test_special_links_are_answered_as_listed(site: Site) -> None:
    answers = [(url, int(status)) for url, status in SPECIAL.findall(README) if status.isdigit()]
    assert answers
    assert answers == [(url, get(site, url)[0].status) for url, _ in answers]


def test_the_seed_reaches_all_but_the_post_that_only_a_sitemap_names(site: Site) -> None:
    links = {post.url: [link.url for link in post.article.also_read] for post in POSTS}
    due, seen = [SEED], set[str]()
    while due:
        url = due.pop()
        if url in seen or not urlsplit(url).netloc.endswith(".techidaily.com"):
            continue
        seen.add(url)
        moved = get(site, url)[0].headers["Location"]
        due += [canonical(urljoin(url, moved))] if moved else links.get(url, [])
    [(host, slug)] = ORPHAN.findall(README)
    assert links.keys() - seen == {f"https://{host}.techidaily.com/{slug}/"}


@pytest.mark.parametrize("host", sorted({post.blog.host for post in POSTS}))
def test_the_sitemap_names_every_post_with_its_last_change(site: Site, host: str) -> None:
    robots = get(site, f"https://{host}/robots.txt")[1].decode()
    index = robots.split()[1]
    [sitemap] = locations(get(site, index)[1])
    listed = locations(get(site, sitemap)[1])
    expected = {post.url: iso(post.updated) for post in POSTS if post.blog.host == host}
    assert {url: listed[url] for url in expected} == expected


def locations(sitemap: bytes) -> dict[str, str]:
    """The addresses in a sitemap or an index of sitemaps, with their lastmod."""
    found = {}
    for entry in ElementTree.fromstring(sitemap):  # noqa: S314
        fields = {field.tag.rpartition("}")[2]: field.text or "" for field in entry}
        found[fields["loc"]] = fields["lastmod"]
    return found
