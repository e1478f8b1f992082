"""Measure how long near-duplicates of an archive take, and how many of them are found.

    python -m bench.near_duplicates [SITES] [--articles 27000] [--sample 1500]

SITES has one folder a host: all of its pages are read into a scratch archive. Without it, so many articles are made
of random words, most of them another one with a few other words. All but one in fifty are compared from scratch; then
these are new; then one in fifty of all is changed. Of a random sample of different texts, all pairs are compared
exactly: recall is the share of the pairs of similar canonical and other texts that are in one family, precision the
share of the pairs of a text and its canonical one that are similar. Prints seconds of the wall clock and of the
processor. The exit code is 1 where articles take more than 60 s for 27,000 of them, more than 2 ms each for those
that are new or changed, or precision or recall is below 0.97.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import combinations, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

from sqlite_utils import Database

from crawler.extractors import extract
from crawler.items import Article, Visit
from pipelines.analysis import near_duplicates
from pipelines.analysis.shingles import shingles, similarity
from pipelines.archive.catalog import Catalog
from tests.conftest import ARTICLE

MAX_SECONDS_PER_ARTICLE = 60 / 27_000
MAX_SECONDS_PER_UPDATED_ARTICLE = 0.002
MIN_PRECISION = MIN_RECALL = 0.97
_UPDATED_EVERY = 50
_COMMIT_BATCH_SIZE = 200
_WORDS = [f"word{number}" for number in range(5_000)]


class Quality(NamedTuple):
    """Record how families compare with an exact comparison of all pairs."""

    precision: float
    """Share of the pairs in one family that are similar."""
    recall: float
    """Share of the similar pairs that are in one family."""
    pairs: int
    """Similar pairs."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sites", type=Path, nargs="?")
    parser.add_argument("--articles", type=int, default=27_000)
    parser.add_argument("--sample", type=int, default=1500)
    options = parser.parse_args()
    articles = read(options.sites) if options.sites else make(options.articles)
    with (
        TemporaryDirectory() as folder,
        closing(Catalog(Path(folder) / "archive.db", scope=[""], retry_delays=[])) as catalog,
    ):
        catalog.begin_crawl()
        new: list[Article] = []
        while batch := list(islice(articles, _COMMIT_BATCH_SIZE)):
            new += batch[::_UPDATED_EVERY]
            del batch[::_UPDATED_EVERY]
            store(catalog, batch)
        count, seconds = compare(catalog.db, "from scratch")
        store(catalog, new)
        updates = [compare(catalog.db, "new")]
        quality = check(catalog.db, options.sample)
        change(catalog.db)
        updates.append(compare(catalog.db, "changed"))
        catalog.end_crawl("finished")
    print(f"{quality.pairs:,} similar pairs: precision {quality.precision:.4f}, recall {quality.recall:.4f}")
    sys.exit(
        seconds > MAX_SECONDS_PER_ARTICLE * count
        or sum(took for _, took in updates)
        > MAX_SECONDS_PER_UPDATED_ARTICLE * sum(many for many, _ in updates)
        or quality.precision < MIN_PRECISION
        or quality.recall < MIN_RECALL
    )


def read(sites: Path) -> Iterator[Article]:
    """Yield the articles of all pages below a folder."""
    for path in sorted(sites.glob("*/**/index.html")):
        url = f"https://{path.parent.relative_to(sites).as_posix()}/"
        if (article := extract(path.read_bytes(), url)) and article.body:
            yield replace(article, url=url)


def make(count: int) -> Iterator[Article]:
    """Yield articles of 300 words in families, whose similarity is about the bound."""
    choose = random.Random(1)  # noqa: S311
    texts: list[list[str]] = []
    for number in range(count):
        words = choose.choices(_WORDS, k=300)
        if texts and choose.random() < 0.7:
            words = list(choose.choice(texts[-500:]))
            for _ in range(choose.choice([0, 0, 0, 1, 2, 4, 8])):
                words[choose.randrange(len(words))] = choose.choice(_WORDS)
        else:
            texts.append(words)
        url = f"https://{number % 300}.techidaily.com/{number}/"
        yield replace(ARTICLE, url=url, body=" ".join(words), images=[], also_read=[])


def store(catalog: Catalog, articles: Iterable[Article]) -> None:
    visits = [Visit(url=article.url, state="stored", status=200, article=article) for article in articles]
    for result in catalog.commit(visits):
        if isinstance(result, Exception):
            raise result


def change(db: Database) -> None:
    """Change articles all over the archive by a word."""
    with db.atomic():
        db.execute(
            "UPDATE articles SET body = body || ' more', body_hash = body_hash || '+' WHERE id % ? = 0",
            [_UPDATED_EVERY],
        )


def compare(db: Database, what: str) -> tuple[int, float]:
    """Compare the articles that are new or changed; return how many, and the seconds."""
    start, cpu = perf_counter(), process_time()
    count = near_duplicates.update(db)
    seconds = perf_counter() - start
    print(
        f"{count:,} articles {what}: {seconds:.1f} s ({process_time() - cpu:.1f} s of a processor), "
        f"{1000 * seconds / count:.2f} ms each"
    )
    return count, seconds


def check(db: Database, sample: int) -> Quality:
    """Compare a sample of different texts exactly, each with each."""
    texts = db.execute(
        "SELECT canonical, body FROM texts JOIN articles ON articles.id = first ORDER BY texts.id"
    )
    chosen = random.Random(1).sample(texts.fetchall(), min(sample, db.table("texts").count))  # noqa: S311
    read_texts = [(family, shingles(body)) for family, body in chosen]
    together = similar = both = 0
    for (family, one), (other_family, other) in combinations(read_texts, 2):
        is_similar = similarity(one, other) >= near_duplicates.MIN_SIMILARITY
        together += family == other_family
        similar += is_similar
        both += is_similar and family == other_family
    return Quality(both / max(together, 1), both / max(similar, 1), similar)


if __name__ == "__main__":
    main()
