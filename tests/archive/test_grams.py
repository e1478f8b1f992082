"""The grams of Chinese, Japanese and Korean articles: which articles have them, and who keeps them right."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipelines.archive import articles
from pipelines.archive.grams import grams_of
from pipelines.archive.lock import open_locked
from pipelines.archive.schema import MIGRATIONS
from pipelines.merging.merge import merge
from pipelines.verifying.verify import repair, verify
from tests.support.archives import damage
from tests.support.commands import here
from tests.support.visits import MakeArticle, crawl, stored

KNIFE = "磨菜刀之前，先把**磨刀石**泡在水里。iPhone的"
FIND = "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH ?"


@pytest.mark.parametrize(
    ("lang", "body", "grams"),
    [
        ("zh", "水果，a。", "水 水果 果"),
        ("zh-Hant", "水果", "水 水果 果"),
        ("ja", "ナイフ・水", "ナ ナイ ナイフ イ イフ フ 水"),
        ("ko", "물과 불", "물 물과 과 불"),
        ("zh", "水水", "水 水水"),
        ("zh", "iPhone的", "iPhone 的"),
        ("zh", "水**果**", "水 水果 果"),
        ("en", "水果", None),
        ("zh", "no such letter", None),
        (None, "水果 a", "水 水果 果"),
        (None, "A text in English with one 水", None),
        (None, "1, 2, 3", None),
    ],
)
def test_grams(lang: str | None, body: str, grams: str | None) -> None:
    assert grams_of(lang, None, None, body) == grams


def test_a_long_run_has_all_grams_of_at_most_eight_characters() -> None:
    grams = (grams_of("ja", None, None, "あいうえおかきくけこ") or "").split()
    assert max(map(len, grams)) == 8
    assert len(grams) == sum(10 - length + 1 for length in range(1, 9))


@pytest.fixture
def data(tmp_path: Path, article: MakeArticle) -> Path:
    """An archive with an article in Chinese."""
    crawl(tmp_path / "data", stored(article(lang="zh", body=KNIFE, images=[])))
    return tmp_path / "data"


def count(data: Path, words: str) -> int:
    with closing(Database(data / "archive.db")) as db:
        return int(db.execute(FIND, [words]).fetchone()[0])


def test_the_index_follows_an_article(data: Path, article: MakeArticle) -> None:
    assert (count(data, "磨刀石"), count(data, "iphone"), damage(data)) == (1, 1, [])
    crawl(data, stored(article(lang="zh", body="面包", images=[])))
    assert (count(data, "磨刀石"), count(data, "面包"), damage(data)) == (0, 1, [])
    crawl(data, stored(article(lang="en", body="Bread", images=[])))
    assert (count(data, "面包"), count(data, "bread"), damage(data)) == (0, 1, [])


def test_an_update_of_other_columns_leaves_the_index_alone(data: Path) -> None:
    with closing(Database(data / "archive.db")) as db:
        before = db.execute("SELECT total(length(block)) FROM articles_fts_data").fetchone()
        db.execute("UPDATE articles SET words = words + 1")
        assert db.execute("SELECT total(length(block)) FROM articles_fts_data").fetchone() == before


def test_sqlite_utils_finds_the_index_and_replaces_it(data: Path) -> None:
    with closing(Database(data / "archive.db")) as db:
        table = db.table("articles")
        assert table.detect_fts() == "articles_fts"
        assert [row["id"] for row in table.search("磨刀石", columns=["id"])] == [1]
        table.disable_fts()
        assert not [trigger for trigger in table.triggers if trigger.name.startswith("articles_a")]


@pytest.mark.parametrize("wrong", ["NULL", "'金库'"])
def test_verify_finds_wrong_grams_and_repairs_them(data: Path, wrong: str) -> None:
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute(f"UPDATE articles SET grams = {wrong}")
    assert [finding.what for finding in verify(data)] == ["wrong: grams"]
    assert [finding.what for finding in repair(data)]
    assert list(verify(data)) == []
    assert (count(data, "磨刀石"), count(data, "金库")) == (1, 0)


def test_a_merge_makes_its_own_grams(data: Path, tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path / "mine", stored(article(url="https://two.techidaily.com/jam/")))
    with closing(sqlite3.connect(data / "archive.db")) as theirs, theirs:
        theirs.execute("UPDATE articles SET grams = '金库'")
    with open_locked(tmp_path / "mine" / "archive.db") as db:
        merge(db, tmp_path / "mine", data / "archive.db")
    assert (count(tmp_path / "mine", "磨刀石"), count(tmp_path / "mine", "金库")) == (1, 0)
    assert list(verify(tmp_path / "mine")) == []


def test_an_older_catalog_gets_them(data: Path, tmp_path: Path, article: MakeArticle) -> None:
    """Of more articles than are indexed together, so that the progress is reported."""
    english = articles.columns(article(url="https://one.techidaily.com/1/"))
    (tmp_path / "older").mkdir()
    with closing(Database(tmp_path / "older" / "archive.db")) as db:
        MIGRATIONS.apply(db, stop_before="m016_grams")
        db.attach("now", data / "archive.db")
        for table in ("crawls", "hosts", "pages"):
            db.execute(f"INSERT INTO {table} SELECT * FROM now.{table}")
        columns = ", ".join(column.name for column in db.table("articles").columns)
        db.execute(f"INSERT INTO articles ({columns}) SELECT {columns} FROM now.articles")
        del english["grams"]
        stamps = {"archived_at": "", "crawl": 1, "changed_at": "", "changed_crawl": 1}
        with db.atomic():
            for number in range(10, 6010):
                url = f"https://one.techidaily.com/{number}/"
                page = {"id": number, "url": url, "host": "one.techidaily.com", "depth": 1, "found_at": ""}
                db.table("pages").insert(page)
                row = english | stamps | {"id": number, "url": url, "path": f"{number}.md"}
                db.execute(
                    f"INSERT INTO articles ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                    [*row.values()],
                )
        db.execute("DETACH now")
    upgraded = here("upgrade", "--data", tmp_path / "older")
    assert upgraded.exit_code == 0
    assert upgraded.stderr.splitlines() == [
        "Search index: 4,992 of 6,001 articles.",
        "Search index: 6,001 of 6,001 articles.",
    ]
    with closing(Database(tmp_path / "older" / "archive.db")) as db:
        assert db.execute(FIND, ["磨刀石"]).fetchone() == (1,)
        assert db.execute(FIND, ["flour"]).fetchone() == (6000,)
        db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
        assert db.execute("SELECT grams FROM articles WHERE id <= 1 AND grams NOT NULL").fetchall()
