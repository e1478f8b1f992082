"""Measures of the also-read graph, as the view `article_ranks` has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crawler.items import Article, Link
from pipelines.analysis import graph
from pipelines.archive.connection import connect, open_readonly
from pipelines.archive.lock import open_locked
from tests.support.graphs import archive_of

A, B, C, D = (f"https://one.techidaily.com/{name}/" for name in "abcd")


def linked(article: Callable[..., Article], links: Mapping[str, Sequence[str]]) -> list[Article]:
    return [
        article(url=url, also_read=[Link(target, "x") for target in targets])
        for url, targets in links.items()
    ]


def ranks(data: Path) -> dict[str, dict[str, Any]]:
    """Rows of the view by address, with the address of the component's smallest page."""
    with closing(open_readonly(data / "archive.db")) as db:
        urls = dict(db.execute("SELECT id, url FROM pages").fetchall())
        rows = {row.pop("url"): row for row in db.query("SELECT * FROM article_ranks")}
    return {url: row | {"component": urls[row["component"]]} for url, row in rows.items()}


def ranked_exactly(links: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """PageRank by its definition: 85 % of readers follow a link, the others open any article."""
    shares = dict.fromkeys(links, 1 / len(links))
    for _ in range(300):
        lost = sum(share for url, share in shares.items() if not links[url])
        base = (0.15 + 0.85 * lost) / len(links)
        gained = dict.fromkeys(links, 0.0)
        for url, targets in links.items():
            for target in targets:
                gained[target] += 0.85 * shares[url] / len(targets)
        shares = {url: base + gained[url] for url in links}
    return shares


def test_measures_of_a_small_graph(article: Callable[..., Article], tmp_path: Path) -> None:
    links: dict[str, list[str]] = {A: [B, C], B: [C], C: [], D: []}
    archive_of(tmp_path, linked(article, links))
    found = ranks(tmp_path)
    assert {url: (row["in_degree"], row["out_degree"]) for url, row in found.items()} == {
        A: (0, 2),
        B: (1, 1),
        C: (2, 0),
        D: (0, 0),
    }
    assert {url: row["component"] for url, row in found.items()} == {A: A, B: A, C: A, D: D}
    assert {url: row["distance"] for url, row in found.items()} == {A: 0, B: 1, C: 1, D: 0}
    assert list(found) == [C, B, A, D]
    for url, rank in ranked_exactly(links).items():
        assert found[url]["pagerank"] == pytest.approx(rank, abs=1e-8)


def test_only_links_between_articles_count_and_each_once(
    article: Callable[..., Article], tmp_path: Path
) -> None:
    elsewhere, moved, twice = (f"https://one.techidaily.com/{name}/" for name in ("new", "old", "older"))
    links = {A: [A, elsewhere, twice, B, moved], B: [twice]}
    archive_of(tmp_path, linked(article, links), redirects=[(moved, B), (twice, moved)])
    found = ranks(tmp_path)
    assert (found[A]["in_degree"], found[A]["out_degree"]) == (0, 1)
    assert (found[B]["in_degree"], found[B]["out_degree"]) == (1, 0)


def test_a_circle_of_redirects_is_no_article(article: Callable[..., Article], tmp_path: Path) -> None:
    one, two, three = (f"https://one.techidaily.com/{number}/" for number in range(3))
    circle = [(one, two), (two, three), (three, one)]
    archive_of(tmp_path, linked(article, {A: [one], B: []}), redirects=circle)
    assert ranks(tmp_path)[A]["out_degree"] == 0


def test_an_article_that_only_a_sitemap_names_has_no_distance(
    article: Callable[..., Article], tmp_path: Path
) -> None:
    archive_of(tmp_path, linked(article, {A: [B], B: []}))
    with closing(connect(tmp_path / "archive.db")) as db:
        db.execute("UPDATE pages SET depth = 1000000 WHERE url = ?", [A])
        db.execute("UPDATE pages SET depth = 1000001 WHERE url = ?", [B])
    assert {row["distance"] for row in ranks(tmp_path).values()} == {None}


def test_measures_do_not_depend_on_the_order_in_which_articles_came(
    article: Callable[..., Article], tmp_path: Path
) -> None:
    random = Random(3)  # noqa: S311
    urls = [f"https://{host}.techidaily.com/{number}/" for host in ("one", "two") for number in range(30)]
    links = {url: random.sample(urls, random.randrange(6)) for url in urls}
    found = []
    for number in range(3):
        articles = linked(article, links)
        random.shuffle(articles)
        rows = ranks(archive_of(tmp_path / f"{number}", articles))
        found.append({url: (row["pagerank"], row["in_degree"]) for url, row in rows.items()})
    assert found[0] == found[1] == found[2]


def test_an_update_without_a_change_computes_nothing(article: Callable[..., Article], tmp_path: Path) -> None:
    archive_of(tmp_path, linked(article, {A: [B, C], B: [], C: []}))
    with open_locked(tmp_path / "archive.db") as db:
        assert not graph.update(db)
    archive_of(tmp_path, linked(article, {A: [B], B: []}))
    assert ranks(tmp_path)[C]["in_degree"] == 0
    with open_locked(tmp_path / "archive.db") as db:
        assert not graph.update(db)
        assert not graph.is_wrong(db)


def test_an_archive_without_articles_has_no_measures(tmp_path: Path) -> None:
    archive_of(tmp_path, [])
    assert ranks(tmp_path) == {}
