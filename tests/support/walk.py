"""A plain breadth-first walk of the also-read lists: what a crawl must find, told without any of its code."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote, unquote, urljoin, urlsplit

import lxml.html

_LIST = (
    "//span[@class='atpl-alsoreadstyle']"
    "/ancestor-or-self::*[following-sibling::div][1]/following-sibling::div[1]"
)


def walk(server: str, seed: str, domain: str = "techidaily.com") -> dict[str, int]:
    """The pages with an also-read list or an article that a seed reaches, each with its distance from it.

    `server` answers for every host; redirects are followed at no distance; pages that are not there, and
    those outside the domain, lead nowhere.
    """
    with closing(http.client.HTTPConnection(urlsplit(server).netloc)) as connection:
        return _walk(connection, plain(seed), domain)


def _walk(connection: http.client.HTTPConnection, seed: str, domain: str) -> dict[str, int]:
    distances: dict[str, int] = {}
    seen, level, distance = {seed}, [seed], 0
    while level:
        following: list[str] = []
        for url in level:
            page, links = _read(connection, url)
            if page:
                distances.setdefault(page, distance)
            for link in links:
                if plain(link) not in seen and _host(link).endswith(domain):
                    seen.add(plain(link))
                    following.append(plain(link))
        level, distance = following, distance + 1
    return distances


def _read(connection: http.client.HTTPConnection, url: str) -> tuple[str | None, list[str]]:
    """The address that the page has in the end, if it is an article, and the links of its also-read lists."""
    for _ in range(5):
        connection.request("GET", urlsplit(url).path, headers={"Host": _host(url)})
        response = connection.getresponse()
        body = response.read()
        if response.status == 200:
            return _parse(url, body)
        if not 300 <= response.status < 400:
            break
        url = plain(urljoin(url, response.headers["Location"]))
        if not _host(url).endswith("techidaily.com"):
            break
    return None, []


def _parse(url: str, body: bytes) -> tuple[str | None, list[str]]:
    page = lxml.html.document_fromstring(body.decode())
    if not (page.xpath("//meta[@property='og:type'][@content='article']") or page.xpath("//article//time")):
        return None, []
    return url, list(_links(url, page))


def _links(url: str, page: lxml.html.HtmlElement) -> Iterator[str]:
    for box in page.xpath(_LIST):
        for href in box.xpath(".//a/@href"):
            if href.startswith(("http", "/")):
                yield urljoin(url, href)


def plain(url: str) -> str:
    """An address without what may differ between two spellings of it."""
    path = unquote(urlsplit(url).path).removesuffix("index.html")
    if not path.endswith((".html", "/")):
        path += "/"
    return f"https://{_host(url)}{quote(path, safe='/~')}"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()
