"""What is wrong with the graph's measures and with near-duplicates is found, and computed anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawler.items import Article, Link
from pipelines.archive.connection import open_readonly
from pipelines.verifying.verify import repair, verify
from tests.support.commands import here
from tests.support.damages import edit
from tests.support.graphs import archive_of

pytestmark = pytest.mark.long

TEXT = " ".join(f"word{number}" for number in range(100))
URLS = [f"https://one.techidaily.com/{number}/" for number in range(4)]


@pytest.fixture
def data(tmp_path: Path, article: Callable[..., Article]) -> Path:
    """Two articles with the same text, one that is similar, and one that is not, each linked to the next."""
    bodies = [TEXT, TEXT, f"{TEXT} more", "another text"]
    links = [[Link(url, "x")] for url in URLS[1:]]
    articles = [
        article(url=url, body=body, also_read=also_read)
        for url, body, also_read in zip(URLS, bodies, [*links, []], strict=True)
    ]
    return archive_of(tmp_path / "data", articles)


def results(data: Path) -> list[list[Any]]:
    queries = (
        "SELECT * FROM article_graph ORDER BY article",
        "SELECT * FROM near_duplicates ORDER BY article",
        "SELECT body_hash, first, rank, similarity FROM texts ORDER BY body_hash",
        """SELECT hash, body_hash FROM text_bands JOIN texts ON texts.id = text ORDER BY hash, body_hash""",
    )
    with closing(open_readonly(data / "archive.db")) as db:
        return [db.execute(query).fetchall() for query in queries]


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ("UPDATE texts SET canonical = 2 WHERE canonical = 1 AND id = 1", "near_duplicates"),
        ("UPDATE texts SET canonical = NULL WHERE id = 3", "near_duplicates"),
        ("UPDATE texts SET similarity = 0.5 WHERE id = 2", "near_duplicates"),
        ("UPDATE texts SET body_hash = 'another' WHERE id = 3", "near_duplicates"),
        ("UPDATE texts SET rank = '9999' WHERE id = 1", "near_duplicates"),
        ("UPDATE texts SET first = 4711 WHERE id = 3", "near_duplicates"),
        ("DELETE FROM texts WHERE id = 3", "near_duplicates"),
        ("DELETE FROM article_texts WHERE article = 2", "near_duplicates"),
        ("INSERT INTO article_texts (article) VALUES (4711)", "near_duplicates"),
        ("INSERT INTO text_bands (hash, text) VALUES (1, 4711)", "near_duplicates"),
        ("UPDATE article_graph SET pagerank = pagerank + 1e-9 WHERE article = 2", "article_graph"),
        ("UPDATE article_graph SET component = 3 WHERE article = 2", "article_graph"),
        ("UPDATE article_graph SET in_degree = 2 WHERE article = 2", "article_graph"),
        ("DELETE FROM article_graph WHERE article = 2", "article_graph"),
        ("INSERT INTO article_graph VALUES (4711, 0, 0, 0, 1)", "article_graph"),
    ],
)
def test_what_is_wrong_is_found_and_computed_anew(data: Path, damage: str, where: str) -> None:
    whole = results(data)
    assert list(verify(data)) == []
    edit(data, damage)
    assert [finding.where for finding in verify(data)] == [where]
    done = here("verify", "--data", data, "--repair")
    assert done.exit_code == 0
    assert f"Repaired: {where}: " in done.stdout
    assert results(data) == whole


def test_what_is_only_out_of_date_is_no_finding(data: Path) -> None:
    edit(data, "UPDATE article_texts SET compared = 0 WHERE article = 2")
    edit(data, "UPDATE analyses SET fingerprint = 'of fewer links' WHERE name = 'graph'")
    edit(data, "UPDATE article_graph SET in_degree = 0 WHERE article = 2")
    assert list(verify(data)) == []
    assert list(repair(data)) == []
