"""The tables of counts and the views that read them agree with the rows, whatever is written."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from crawler.items import Article, Image, Link, Visit
from pipelines.archive.catalog import Catalog
from pipelines.archive.counts import recount, wrong_tables
from pipelines.archive.schema import MIGRATIONS
from tests.support.archives import make_older
from tests.support.commands import Run
from tests.support.visits import MakeArticle

BREAD, ROLLS, JAM = (
    f"https://{path}/"
    for path in ("one.techidaily.com/bread", "one.techidaily.com/rolls", "two.techidaily.com/jam")
)

COUNTS = ("host_counts", "state_counts", "link_counts", "host_links")
# What the views answer, from the rows alone.
FROM_ROWS = {
    "articles_by_host": """
        SELECT pages.host, count(*), sum(words), min(date), max(date)
        FROM articles JOIN pages USING (id) GROUP BY pages.host""",
    "most_linked": """
        SELECT pages.url, pages.title, count(*)
        FROM also_read JOIN articles ON articles.id = target JOIN pages ON pages.id = target
        WHERE position IS NOT NULL AND source <> target GROUP BY target""",
    "missing_targets": """
        SELECT pages.url, pages.state, coalesce(pages.error, 'not fetched yet'), moved.url, count(*)
        FROM also_read JOIN pages ON pages.id = also_read.target LEFT JOIN pages AS moved ON moved.id = pages.moved_to
        WHERE position IS NOT NULL AND coalesce(pages.moved_to, pages.id) NOT IN (SELECT id FROM articles)
        GROUP BY pages.id""",
    "orphans": """
        SELECT url, title FROM articles WHERE id NOT IN (
          SELECT coalesce(pages.moved_to, pages.id) FROM also_read JOIN pages ON pages.id = target
          WHERE position IS NOT NULL AND pages.id <> source)""",
    "links_between_hosts": """
        SELECT source.host, target.host, count(*)
        FROM also_read JOIN pages AS source ON source.id = source JOIN pages AS target ON target.id = target
        WHERE position IS NOT NULL AND source.host <> target.host GROUP BY source.host, target.host""",
    "duplicates": """
        SELECT body_hash, count(*), min(url), json_group_array(url)
        FROM articles GROUP BY body_hash HAVING count(*) > 1""",
    "images_by_host": """
        SELECT articles.host, count(url2), count(DISTINCT id), round(1.0 * count(url2) / count(DISTINCT id), 1)
        FROM articles LEFT JOIN (SELECT article, url AS url2 FROM images) ON article = id GROUP BY articles.host""",
}


def stored(article: Article) -> Visit:
    return Visit(url=article.url, state="stored", status=200, article=article)


def moved(url: str, target: str) -> Visit:
    return Visit(url=url, state="not_article", status=301, reason="redirect", moved_to=target)


def rows(db: Database, query: str) -> list[tuple[object, ...]]:
    return sorted(db.execute(query).fetchall(), key=repr)


def assert_agrees(db: Database) -> None:
    assert wrong_tables(db) == []
    for view, query in FROM_ROWS.items():
        assert rows(db, f"SELECT * FROM {view}") == rows(db, query), view


def test_every_kind_of_write(catalog: Catalog, article: MakeArticle) -> None:
    bread = article(also_read=[Link(ROLLS, "Rolls"), Link(JAM, "Jam"), Link(BREAD, "Bread")])
    for item in (
        stored(bread),
        stored(article(also_read=[Link(JAM, "Jam")])),  # links that left the list
        stored(bread),  # and came back
        stored(article(url=JAM, body="One two three", images=[], also_read=[Link(BREAD, "Bread")])),
        stored(article(url=JAM, body="Four", images=[Image("https://pictures.example/a.jpg")] * 2)),
        moved(ROLLS, JAM),
        Visit(url=JAM, state="gone", status=404, reason="404"),
        stored(article(url="https://two.techidaily.com/copy/")),  # the same text as the first
    ):
        catalog.add(item)
        assert_agrees(catalog.db)


def test_an_archive_that_was_crawled(run: Run) -> None:
    assert_agrees(run.db)
    for table in COUNTS:
        assert run.db.table(table).count
    titles = run.db.execute("SELECT count(*) FROM pages JOIN articles USING (id, title)").fetchone()
    assert titles == run.db.execute("SELECT count(*) FROM articles WHERE title IS NOT NULL").fetchone()


@pytest.mark.parametrize("table", COUNTS)
def test_wrong_counts_are_noticed_and_counted_again(run: Run, tmp_path: Path, table: str) -> None:
    with closing(Database(shutil.copy(run.data / "archive.db", tmp_path))) as db:
        column = db.table(table).columns[-1].name
        db.execute(
            f"UPDATE {table} SET {column} = {column} + 1 WHERE rowid IN (SELECT min(rowid) FROM {table})"
            if table == "link_counts"
            else f"UPDATE {table} SET {column} = {column} + 1"
        )
        assert wrong_tables(db) == [table]
        recount(db, table)
        assert wrong_tables(db) == []


def test_an_archive_without_counts_gets_them(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    make_older(path, run.data / "archive.db")
    with closing(Database(path)) as db:
        with pytest.raises(sqlite3.OperationalError):
            db.execute("SELECT host FROM articles")
        MIGRATIONS.apply(db)
        assert_agrees(db)
        db.attach("now", run.data / "archive.db")
        for table in (*COUNTS, "pages"):
            assert rows(db, f"SELECT * FROM {table}") == rows(db, f"SELECT * FROM now.{table}")
        found = db.execute("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'bread'").fetchone()
        assert (
            found
            == db.execute("SELECT count(*) FROM now.articles_fts WHERE articles_fts MATCH 'bread'").fetchone()
        )
