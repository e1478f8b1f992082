"""How quickly does a search answer in archives of 30,000 and of 300,000 articles?

    python -m bench.search [SITES] [--articles 30000 300000] [--keep DIR]

SITES has one folder a host; its articles are stored under more and more addresses, until there are enough. Without
it, the articles are made of invented words, of which a few are as common as in English. Archives are built in a
temporary folder, which takes 19 KB an article, or in DIR, where they are used again. Queries are one to three words
of 200 titles, three times each; the time of a query is its shortest, of the processor, as other programs may use the
machine. The exit code is 1 where 95 % of the queries do not end within 20 ms (up to 100,000 articles) or 60 ms.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import accumulate, count, islice
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from crawler.extractors import extract
from crawler.items import Article
from crawler.urls import host_of
from pipelines.analysis.search import search
from pipelines.archive import articles as rows
from pipelines.archive.catalog import Catalog
from pipelines.normalize import normalize

MAX_MILLISECONDS, MAX_LARGE_MILLISECONDS = 20, 60
_LARGE_ARTICLES = 100_000
_QUERIES, _ROUNDS = 200, 3
_BATCH_ARTICLES = 2_000
_INVENTED = 5_000
_TIME = "2026-01-01T00:00:00.000Z"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sites", nargs="?", type=Path)
    parser.add_argument("--articles", nargs="+", type=int, default=[30_000, 300_000])
    parser.add_argument("--keep", type=Path, metavar="DIR")
    options = parser.parse_args()
    in_time = True
    with TemporaryDirectory() as folder:
        for number in options.articles:
            data = (options.keep or Path(folder)) / str(number)
            if not (data / "archive.db").exists():
                build(data, read(options.sites) if options.sites else invent(), number)
            in_time &= measure(data / "archive.db", number)
    sys.exit(not in_time)


def read(sites: Path) -> list[Article]:
    """Read the articles of a folder of hosts."""
    pages = [(sites, path.parent.relative_to(sites)) for path in sorted(sites.glob("*/*/index.html"))]
    with ProcessPoolExecutor() as pool:
        return [article for article in pool.map(_read, pages, chunksize=50) if article]


def _read(page: tuple[Path, Path]) -> Article | None:
    sites, path = page
    article = extract((sites / path / "index.html").read_bytes(), f"https://{path.as_posix()}/")
    return normalize(article) if article else None


def invent() -> list[Article]:
    """Make articles of words whose frequencies follow Zipf's law."""
    chance = random.Random(1)  # noqa: S311 - the same words each time
    words = ["".join(chance.choices("aeioulnrst", k=chance.randint(3, 9))) for _ in range(50_000)]
    weights = [*accumulate(1 / rank for rank in range(1, len(words) + 1))]
    absent: dict[str, Any] = dict.fromkeys(
        ("author", "date", "updated", "description", "keywords", "thumbnail", "license")
    )
    absent |= {name: [] for name in ("tags", "categories", "images", "also_read")}
    return [
        Article(
            url=f"https://blog-{number % 300:03}.techidaily.com/{number}/",
            title=" ".join(chance.choices(words, cum_weights=weights, k=8)),
            body="\n\n".join(" ".join(chance.choices(words, cum_weights=weights, k=90)) for _ in range(12)),
            lang="en",
            extractor="redefine",
            **absent,
        )
        for number in range(_INVENTED)
    ]


def build(data: Path, articles: Sequence[Article], number: int) -> None:
    """Build an archive of so many articles, most of them under several addresses."""
    data.mkdir(parents=True)
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[])
    catalog.begin_crawl()
    for batch in _batches(articles, number):
        with catalog.db.atomic():
            hosts = {(host_of(article.url),) for article in batch.values()}
            catalog.db.conn.executemany("INSERT OR IGNORE INTO hosts (host) VALUES (?)", hosts)
            catalog.db.conn.executemany(
                "INSERT INTO pages (id, url, host, state, depth, found_at) VALUES (?, ?, ?, 'stored', 0, ?)",
                [(page, article.url, host_of(article.url), _TIME) for page, article in batch.items()],
            )
            hashed = {page: (article, "unknown") for page, article in batch.items()}
            rows.insert(catalog.db, hashed, catalog.crawl, _TIME)
    catalog.end_crawl("finished")
    catalog.close()


def _batches(articles: Sequence[Article], number: int) -> Iterator[dict[int, Article]]:
    copies = (
        replace(article, url=f"{article.url.rstrip('/')}-copy-{copy}/")
        for copy in count()
        for article in articles
    )
    numbered = enumerate(islice(copies, number), 1)
    while batch := dict(islice(numbered, _BATCH_ARTICLES)):
        yield batch


def measure(path: Path, number: int) -> bool:
    """Time the queries, print the result, and return whether they are quick enough."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        milliseconds = [min(_time(db, query) for _ in range(_ROUNDS)) for query in _queries(db)]
    limit = MAX_LARGE_MILLISECONDS if number > _LARGE_ARTICLES else MAX_MILLISECONDS
    slow = quantiles(milliseconds, n=20)[-1]
    print(
        f"{number:,} articles: median {median(milliseconds):.1f} ms, 95 % within {slow:.1f} ms of {limit} ms, "
        f"all within {max(milliseconds):.1f} ms",
        flush=True,
    )
    return slow <= limit


def _queries(db: sqlite3.Connection) -> list[str]:
    chance = random.Random(2)  # noqa: S311 - the same queries each time
    query = (
        "SELECT title FROM articles WHERE title NOT NULL AND id % (SELECT max(id) / ? + 1 FROM articles) = 0"
    )
    titles = [re.findall(r"\w{2,}", title) for (title,) in db.execute(query, [_QUERIES])]
    return [
        " ".join(chance.sample(words, min(len(words), chance.randint(1, 3)))) for words in titles if words
    ]


def _time(db: sqlite3.Connection, query: str) -> float:
    start = process_time()
    search(db, query)
    return 1000 * (process_time() - start)


if __name__ == "__main__":
    main()
