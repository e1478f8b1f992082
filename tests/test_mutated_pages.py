"""Pages that were garbled at random are read, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from crawler.errors import UnreadablePage
from crawler.extractors import read
from pipelines.normalize import normalize
from tests.rendering import live_parts

PAGES = [path.read_bytes() for path in sorted((Path(__file__).parent / "extractors").glob("*.html"))]
SMALL = [page for page in PAGES if 0 < len(page) < 20_000]
TOKENS = (
    *(b"<", b">", b"</", b'"', b"'", b"=", b"&", b"&#", b"\0", b"\xff", b"\r", b"<!--", b"-->", b"<![CDATA["),
    *(b"<table>", b"<tr>", b"<td>", b"</div>", b"<div>", b"<a href=", b"<p>", b"<pre>", b"<li>", b"<script>"),
    *(b"<svg>", b"<template>", b"<select>", b"<form>", b"</body>", b"<h1>", b"<code>", b"`", b"[x](", b"|"),
)


def _cut(page: bytes, random: Random) -> bytes:
    start, end = sorted(random.randrange(len(page)) for _ in range(2))
    return page[:start] + page[end:]


def _repeat(page: bytes, random: Random) -> bytes:
    start = random.randrange(len(page))
    piece = page[start : start + random.randrange(1, 400)]
    return page[:start] + piece * random.randrange(2, 4) + page[start:]


def _move(page: bytes, random: Random) -> bytes:
    start, there = random.randrange(len(page)), random.randrange(len(page))
    piece = page[start : start + random.randrange(1, 400)]
    return page[:there] + piece + page[there:]


def _insert(page: bytes, random: Random) -> bytes:
    there = random.randrange(len(page))
    return page[:there] + random.choice(TOKENS) + page[there:]


def _change(page: bytes, random: Random) -> bytes:
    there = random.randrange(len(page))
    return page[:there] + bytes([random.randrange(256)]) + page[there + 1 :]


def _splice(page: bytes, random: Random) -> bytes:
    other = random.choice(SMALL)
    return page[: random.randrange(len(page))] + other[random.randrange(len(other)) :]


CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _cut,
    _repeat,
    _move,
    _insert,
    _insert,
    _change,
    _splice,
)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(0, 200, id="200"),
        *(
            pytest.param(n, n + 5_000, id=f"from {n}", marks=pytest.mark.long)
            for n in range(200, 20_200, 5_000)
        ),
    ],
)
def test_a_garbled_page_is_read_or_refused(first: int, last: int) -> None:
    articles = 0
    for seed in range(first, last):
        random = Random(seed)  # noqa: S311 - nothing is to be kept secret
        page = random.choice(SMALL)
        for _ in range(random.randrange(1, 6)):
            page = random.choice(CHANGES)(page, random) or b"<"
        try:
            article = read(page, "https://fixture.example.org/a-post/").article
        except UnreadablePage:
            continue
        if article is not None:
            articles += 1
            assert live_parts(normalize(article).body) == [], seed
    assert articles > (last - first) // 4
