"""How many of the articles that have a word are found: recall/LANG.json has the articles and the words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipelines.analysis.search import search
from tests.support.visits import MakeArticle, crawl, stored

RECALL = Path(__file__).parent / "recall"
Find = Callable[[Database, str], set[int]]


def ours(db: Database, word: str) -> set[int]:
    return {hit.id for hit in search(db.conn, word, limit=100).hits}


def plain(db: Database, word: str) -> set[int]:
    """As `sqlite-utils search` does it."""
    return {row["id"] for row in db.table("articles").search(word, columns=["id"])}


def archive(data: Path, article: MakeArticle, lang: str) -> tuple[list[str], list[str]]:
    """Make an archive of the articles of a language, numbered from 1. Return them, and the words."""
    known = json.loads((RECALL / f"{lang}.json").read_text(encoding="utf-8"))
    fields: dict[str, object] = {
        "title": None,
        "description": None,
        "images": [],
        "also_read": [],
        "lang": lang,
    }
    texts: list[str] = known["articles"]
    urls = [f"https://one.techidaily.com/{number}/" for number in range(len(texts))]
    crawl(
        data,
        *(stored(article(url=url, body=text, **fields)) for url, text in zip(urls, texts, strict=True)),
    )
    return texts, known["queries"]


@pytest.mark.parametrize(
    ("lang", "find", "least"),
    [
        ("ja", ours, 1.0),
        ("zh", ours, 1.0),
        ("ko", ours, 1.0),
        ("ja", plain, 0.95),  # one word is longer than the grams
        ("zh", plain, 1.0),
        ("ko", plain, 1.0),
        ("de", ours, 1.0),
        ("de", plain, 0.4),
    ],
)
def test_recall(tmp_path: Path, article: MakeArticle, lang: str, find: Find, least: float) -> None:
    texts, words = archive(tmp_path, article, lang)
    wanted = found = 0
    with closing(Database(tmp_path / "archive.db")) as db:
        for word in words:
            pattern = re.compile(rf"\b{word}" if lang == "de" else word, re.IGNORECASE)
            having = {number for number, text in enumerate(texts, 1) if pattern.search(text)}
            assert having, word
            hits = find(db, word)
            assert hits <= having, word
            wanted += len(having)
            found += len(hits)
    assert found / wanted >= least
