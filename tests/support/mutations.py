"""Garble pages at random, and read them: `python -m tests.support.mutations [FIRST]` goes on until it is interrupted.

`ALSOREAD_PAGES` names a folder of pages to garble; without it those of the tests are taken. A number gives the
same garbled page each time, as long as the pages are the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random

from crawler.errors import UnreadablePage
from crawler.extractors import read
from pipelines.normalize import normalize
from tests.support.rendering import live_parts

_OWN = Path(__file__).parents[1] / "extractors" / "pages"
_MOST_BYTES = 20_000, 200_000
"""Of a page: of the tests, and of a folder of others."""
_MOST_PAGES = 2_000
_REPORT_EVERY = 1_000
TOKENS = (
    *(b"<", b">", b"</", b'"', b"'", b"=", b"&", b"&#", b"\0", b"\xff", b"\r", b"<!--", b"-->", b"<![CDATA["),
    *(b"<table>", b"<tr>", b"<td>", b"</div>", b"<div>", b"<a href=", b"<p>", b"<pre>", b"<li>", b"<script>"),
    *(b"<svg>", b"<template>", b"<select>", b"<form>", b"</body>", b"<h1>", b"<code>", b"`", b"[x](", b"|"),
)


def _cut(page: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start, end = sorted(random.randrange(len(page)) for _ in range(2))
    return page[:start] + page[end:]


def _repeat(page: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start = random.randrange(len(page))
    piece = page[start : start + random.randrange(1, 400)]
    return page[:start] + piece * random.randrange(2, 4) + page[start:]


def _move(page: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start, there = random.randrange(len(page)), random.randrange(len(page))
    piece = page[start : start + random.randrange(1, 400)]
    return page[:there] + piece + page[there:]


def _insert(page: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    there = random.randrange(len(page))
    return page[:there] + random.choice(TOKENS) + page[there:]


def _change(page: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    there = random.randrange(len(page))
    return page[:there] + bytes([random.randrange(256)]) + page[there + 1 :]


def _splice(page: bytes, random: Random, originals: Sequence[bytes]) -> bytes:
    other = random.choice(originals)
    return page[: random.randrange(len(page))] + other[random.randrange(len(other)) :]


CHANGES: tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...] = (
    _cut,
    _repeat,
    _move,
    _insert,
    _insert,
    _change,
    _splice,
)


def pages() -> list[bytes]:
    """Load the pages to garble: an evenly spread selection where there are many."""
    folder = os.environ.get("ALSOREAD_PAGES")
    paths = sorted(Path(folder).rglob("*.html")) if folder else sorted(_OWN.glob("*.html"))
    most = _MOST_BYTES[bool(folder)]
    chosen = paths[:: len(paths) // _MOST_PAGES + 1]
    loaded = [path.read_bytes() for path in chosen if 0 < path.stat().st_size < most]
    if not loaded:
        raise FileNotFoundError(f"No page of up to {most:,} bytes, *.html, in {folder or _OWN}.")
    return loaded


def read_garbled(originals: Sequence[bytes], seed: int) -> bool:
    """Garble a page and read it. Returns whether it was an article.

    Raises AssertionError where its text is live, and whatever the extractor raises but UnreadablePage.
    """
    random = Random(seed)  # noqa: S311 - nothing is to be kept secret
    page = random.choice(originals)
    for _ in range(random.randrange(1, 6)):
        page = random.choice(CHANGES)(page, random, originals) or b"<"
    try:
        article = read(page, "https://fixture.example.org/a-post/").article
    except UnreadablePage:
        return False
    if article is None:
        return False
    assert live_parts(normalize(article).body) == []
    return True


def main() -> int:
    """Garble pages from a number on until interrupted, and say which number failed."""
    originals, first = pages(), int(sys.argv[1]) if len(sys.argv) > 1 else 0
    articles = 0
    seed = first
    try:
        for seed in count(first):
            articles += read_garbled(originals, seed)
            if (seed + 1) % _REPORT_EVERY == 0:
                print(f"{seed + 1 - first:,} garbled pages, {articles:,} of them articles", flush=True)
    except KeyboardInterrupt:
        print(f"{seed - first:,} garbled pages of {len(originals):,} pages, {articles:,} of them articles")
    except Exception as error:
        error.add_note(f"python -m tests.support.mutations {seed} does it again.")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
