"""Families of nearly identical articles are those of a comparison of all with all, however the articles came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from crawler.items import Article
from pipelines.analysis import near_duplicates
from pipelines.analysis.shingles import shingles, similarity
from pipelines.archive.analyses import count_uncompared
from pipelines.archive.connection import connect, open_readonly
from tests.support.graphs import archive_of

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(300)]

Families = dict[str, tuple[str, float]]
"""Canonical article and similarity by article."""


def families(data: Path) -> Families:
    query = """SELECT member.url, chosen.url, similarity FROM near_duplicates
               JOIN pages AS member ON member.id = article JOIN pages AS chosen ON chosen.id = canonical"""
    with closing(open_readonly(data / "archive.db")) as db:
        assert count_uncompared(db) == 0
        return {member: (canonical, likeness) for member, canonical, likeness in db.execute(query)}


def compared_exactly(articles: Sequence[Article]) -> Families:
    """Compare each article with all canonical ones before it."""
    canonical: list[Article] = []
    found: Families = {}
    ranked = sorted(
        articles, key=lambda article: (article.date is None, article.date or FIRST_DAY, article.url)
    )
    by_text: dict[str, Article] = {}
    for article in ranked:
        by_text.setdefault(article.body, article)
    for article in by_text.values():
        own = shingles(article.body)
        for other in canonical:
            if (likeness := similarity(own, shingles(other.body))) >= near_duplicates.MIN_SIMILARITY:
                found[article.body] = (other.url, likeness)
                break
        else:
            canonical.append(article)
            found[article.body] = (article.url, 1.0)
    return {article.url: found[article.body] for article in articles}


def url_of(number: int) -> str:
    return f"https://{'two' if number % 2 else 'one'}.techidaily.com/{number:02}/"


def random_articles(article: Callable[..., Article], random: Random, count: int) -> list[Article]:
    """Articles of which many are another one with a few other words, so that similarities are about the bound."""
    made: list[Article] = []
    for number in range(count):
        words = random.choices(WORDS, k=90)
        if made and random.random() < 0.85:
            words = random.choice(made).body.split()
            for _ in range(random.choice([0, 1, 1, 2, 2, 3])):
                words[random.randrange(len(words))] = random.choice(WORDS)
        day = random.choice([None, *range(8)])
        date = None if day is None else FIRST_DAY + timedelta(days=day)
        made.append(article(url=url_of(number), body=" ".join(words), date=date, also_read=[]))
    return made


@pytest.mark.parametrize(
    "seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 60))]
)
def test_updates_come_to_what_a_comparison_of_all_comes_to(
    article: Callable[..., Article], tmp_path: Path, seed: int
) -> None:
    random = Random(seed)  # noqa: S311
    articles = random_articles(article, random, 40)
    random.shuffle(articles)
    bounds = [0, *sorted(random.sample(range(1, 40), 4)), 40]
    for start, end in pairwise(bounds):
        archive_of(tmp_path / "data", articles[start:end])
        assert families(tmp_path / "data") == compared_exactly(articles[:end])
    for _ in range(4):
        for number in random.sample(range(40), 4):
            other = random.choice(articles)
            changed = {"body": random.choice([other.body, f"{other.body} more"])}
            moved = {"date": other.date}
            articles[number] = replace(articles[number], **random.choice([changed, moved, changed | moved]))  # type: ignore[arg-type]
        archive_of(tmp_path / "data", articles)
        assert families(tmp_path / "data") == compared_exactly(articles)
    assert len({canonical for canonical, _ in families(tmp_path / "data").values()}) < 30


def test_the_earliest_article_is_canonical_and_then_the_smallest_address(
    article: Callable[..., Article], tmp_path: Path
) -> None:
    text = " ".join(WORDS)
    days = {1: None, 2: FIRST_DAY, 3: FIRST_DAY - timedelta(days=1), 4: FIRST_DAY - timedelta(days=1)}
    articles = [
        article(url=url_of(number), date=day, body=f"{text} and {number}") for number, day in days.items()
    ]
    archive_of(tmp_path, articles)
    assert {canonical for canonical, _ in families(tmp_path).values()} == {url_of(4)}
    assert families(tmp_path)[url_of(4)][1] == 1.0
    assert 0.8 <= families(tmp_path)[url_of(1)][1] < 1


def test_chinese_texts_are_compared_by_their_characters(
    article: Callable[..., Article], tmp_path: Path
) -> None:
    text = "".join(chr(0x4E00 + 7 * number) for number in range(300))
    bodies = {0: text, 1: f"{text}。又", 2: text[::-1]}
    archive_of(tmp_path, [article(url=url_of(number), body=body) for number, body in bodies.items()])
    assert {url: canonical for url, (canonical, _) in families(tmp_path).items()} == {
        url_of(0): url_of(0),
        url_of(1): url_of(0),
        url_of(2): url_of(2),
    }


def test_the_address_of_a_link_does_not_count(article: Callable[..., Article], tmp_path: Path) -> None:
    texts = [
        f"[Buy {' '.join(WORDS[:20])}](https://ads.example/{number}/a-b-c-d-e-f) now" for number in (1, 2)
    ]
    archive_of(tmp_path, [article(url=url_of(number), body=body) for number, body in enumerate(texts)])
    assert families(tmp_path)[url_of(1)] == (url_of(0), 1.0)


def test_texts_without_words_are_alike_only_if_they_are_the_same(
    article: Callable[..., Article], tmp_path: Path
) -> None:
    bodies = ["---", "***", "---"]
    archive_of(tmp_path, [article(url=url_of(number), body=body) for number, body in enumerate(bodies)])
    assert {url: canonical for url, (canonical, _) in families(tmp_path).items()} == {
        url_of(0): url_of(0),
        url_of(1): url_of(1),
        url_of(2): url_of(0),
    }


def test_the_view_has_families_of_several_articles(article: Callable[..., Article], tmp_path: Path) -> None:
    text = " ".join(WORDS)
    bodies = [text, f"{text} more", text, "something else"]
    archive_of(
        tmp_path,
        [article(url=url_of(number), title=f"{number}", body=body) for number, body in enumerate(bodies)],
    )
    with closing(open_readonly(tmp_path / "archive.db")) as db:
        assert db.execute("SELECT * FROM families").fetchall() == [
            (url_of(0), "0", "one.techidaily.com", 3, 2)
        ]


def test_another_method_compares_all_articles_anew(article: Callable[..., Article], tmp_path: Path) -> None:
    articles = random_articles(article, Random(1), 10)  # noqa: S311
    archive_of(tmp_path, articles)
    with closing(connect(tmp_path / "archive.db")) as db:
        db.execute("UPDATE analyses SET fingerprint = 'older' WHERE name = 'near_duplicates'")
        db.execute("UPDATE text_bands SET hash = -hash")
    archive_of(tmp_path, [])
    assert families(tmp_path) == compared_exactly(articles)


def test_an_interrupted_comparison_goes_on(article: Callable[..., Article], tmp_path: Path) -> None:
    articles = random_articles(article, Random(2), 30)  # noqa: S311
    archive_of(tmp_path, articles)
    with closing(
        connect(tmp_path / "archive.db")
    ) as db:  # the bands are stored, and no text was compared yet
        db.execute("UPDATE article_texts SET text = NULL, compared = 0")
        db.execute("UPDATE texts SET first = NULL, rank = NULL, canonical = NULL, similarity = NULL")
        db.execute("DELETE FROM text_bands WHERE text > 10")
        db.execute("DELETE FROM texts WHERE id > 10")
    archive_of(tmp_path, articles[5:])
    assert families(tmp_path) == compared_exactly(articles)
