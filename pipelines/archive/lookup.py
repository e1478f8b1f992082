"""Find an article by what a person has of it: its address, its path, or the last segment of one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import chain
from pathlib import PurePosixPath

from sqlite_utils import Database

from crawler.errors import UsageError
from crawler.urls import canonical_or_none, host_of, slug_of

_EXTENSIONS = (".md", ".html")
_MAX_SUGGESTIONS = 3
_MAX_LISTED = 10
"""Addresses with the same slug that an error names."""
_MAX_COMPARED = 200
"""Addresses of each query that are compared letter by letter."""

# They read the index of addresses alone: the first one all of it, 0.1 s for 500,000 of them.
_SAME_END = """SELECT id, url, substr(url, -length(:folder)) = :folder OR substr(url, -length(:file)) = :file AS same
               FROM articles WHERE instr(url, :end) ORDER BY same DESC LIMIT :limit"""
_BEFORE = "SELECT url FROM articles WHERE url > :home AND url < :home || :slug ORDER BY url DESC LIMIT :limit"
_BEHIND = (
    "SELECT url FROM articles WHERE url > :home || :slug AND url < :home || x'ff' ORDER BY url LIMIT :limit"
)
_NEXT_OF_EVERY_HOST = """
    WITH hosts AS (SELECT 'https://' || host || '/' AS home FROM main.hosts)
    SELECT (SELECT max(url) FROM articles WHERE url > home AND url < home || :slug) AS url FROM hosts
    UNION SELECT (SELECT min(url) FROM articles WHERE url > home || :slug AND url < home || x'ff') FROM hosts"""


def find(db: Database, wanted: str) -> int:
    """Return the page of an article, given by its address, its path or a slug that only one article has.

    Raises UsageError, which names the closest addresses.
    """
    path = PurePosixPath(wanted)
    address = canonical_or_none(wanted)
    addresses = [address or canonical_or_none(f"https://{wanted}")]
    endings = ["/".join(path.parts[start:]) for start in range(len(path.parts) - 1)]
    query = """SELECT id FROM articles WHERE url IN (SELECT value FROM json_each(?))
               OR path IN (SELECT value FROM json_each(?))"""
    if row := db.execute(query, [json.dumps(addresses), json.dumps(endings)]).fetchone():
        return int(row[0])
    slug = _canonical_slug(path.name)
    similar = [] if endings else list(_with_same_end(db, slug))
    same = {url: page for page, url, is_same in similar if is_same}
    if len(same) == 1:
        return same.popitem()[1]
    if same:
        more = "\n  and others" if len(same) > _MAX_LISTED else ""
        shown = _lines(sorted(same)[:_MAX_LISTED])
        raise UsageError(f"Several articles are called {wanted}; name one by its address:{shown}{more}")
    host = host_of(address) if address else path.parent.name
    if closest := _closest(db, host, slug, [url for _, url, _ in similar]):
        raise UsageError(f"No article {wanted} is in the archive. The closest are:{_lines(closest)}")
    raise UsageError(f"No article {wanted} is in the archive: `alsoread status` tells what is.")


def _canonical_slug(name: str) -> str:
    for extension in _EXTENSIONS:
        name = name.removesuffix(extension)
    address = canonical_or_none(f"https://host/{name}/")
    return slug_of(address) if address else ""


def _lines(urls: Iterable[str]) -> str:
    return "".join(f"\n  {url}" for url in urls)


def _with_same_end(db: Database, slug: str) -> Iterator[tuple[int, str, bool]]:
    """Yield page and address of articles whose address has a slug's second half, and whether it ends with it all."""
    if slug:
        end = slug[len(slug) // 2 :]
        values = {"folder": f"/{slug}/", "file": f"/{slug}.html", "end": end, "limit": _MAX_COMPARED}
        yield from db.execute(_SAME_END, values)


def _closest(db: Database, host: str, slug: str, similar: list[str]) -> list[str]:
    """Return the addresses whose slugs are spelled most like one: an equal one, those of its host, any others."""
    values = {"home": f"https://{host}/", "slug": slug, "limit": _MAX_COMPARED}
    of_host = [url for query in (_BEFORE, _BEHIND) for (url,) in db.execute(query, values)]
    elsewhere = [url for (url,) in db.execute(_NEXT_OF_EVERY_HOST, values) if url] + similar
    equal = [url for url in elsewhere if _slug_of(url) == slug]
    ranked = chain(equal[:1], _most_similar(slug, of_host), _most_similar(slug, elsewhere))
    return list(dict.fromkeys(ranked))[:_MAX_SUGGESTIONS]


def _slug_of(url: str) -> str:
    return _canonical_slug(PurePosixPath(url).name)


def _most_similar(slug: str, urls: Iterable[str]) -> list[str]:
    by_slug: dict[str, list[str]] = {}
    for url in urls:
        by_slug.setdefault(_slug_of(url), []).append(url)
    matches = get_close_matches(slug, by_slug, n=_MAX_SUGGESTIONS)
    return [url for match in matches for url in by_slug[match]]
