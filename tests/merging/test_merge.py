"""Archives that were made on different machines are merged."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.cli import main
from crawler.clock import now
from crawler.errors import CatalogError
from crawler.items import Article, FoundPages, Image, Link, Visit, iso
from pipelines.archive.connection import connect
from pipelines.archive.lock import open_locked
from pipelines.archive.schema import MIGRATIONS
from pipelines.archive.store import Store
from pipelines.merging.merge import Merged
from pipelines.merging.merge import merge as merge_catalog
from pipelines.verifying.verify import verify
from tests.support.archives import files
from tests.support.visits import MakeArticle

BREAD, JAM = "https://one.techidaily.com/bread/", "https://two.techidaily.com/jam/"
ROLLS = "https://one.techidaily.com/rolls/"
SPRING = datetime(2024, 3, 1, tzinfo=UTC)


def stored(article: Article, **facts: Any) -> Visit:
    return Visit(url=article.url, state="stored", status=200, article=article, **facts)


def gone(url: str) -> Visit:
    return Visit(url=url, state="gone", status=404, reason="the server answers 404 Not Found")


def failed(url: str) -> Visit:
    return Visit(url=url, state="failed", status=500, reason="the server answers 500")


def crawled(data: Path, *items: Visit | FoundPages) -> Path:
    """Make an archive, or add a crawl to it that yielded these items."""
    data.mkdir(exist_ok=True, parents=True)
    with closing(connect(data / "archive.db")) as db:
        db.enable_wal()
        MIGRATIONS.apply(db)
        run = {"started_at": iso(now()), "pid": os.getpid(), "version": "1", "seeds": json.dumps([str(data)])}
        crawl: Any = db.table("crawls").insert(run | {"options": "{}"}).last_pk
        store = Store(db, data, scope=["techidaily.com"], retry_delays=[], crawl=crawl)
        assert not [result for result in store.commit(items) if isinstance(result, Exception)]
        ended = {"ended_at": iso(now()), "outcome": "finished"}
        db.table("crawls").update(crawl, ended)
    return data


def merge(data: Path, other: Path) -> Merged:
    before = content(other)
    with open_locked(data / "archive.db") as db:
        merged = merge_catalog(db, data, other / "archive.db")
    assert content(other) == before
    assert [f"{finding.where}: {finding.what}" for finding in verify(data)] == []
    return merged


def content(data: Path) -> tuple[dict[str, bytes], list[str]]:
    with closing(sqlite3.connect(data / "archive.db")) as db:
        return files(data), [line for line in db.iterdump() if "articles_fts" not in line]


def rows(data: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data / "archive.db")) as db:
        return db.execute(query, values).fetchall()


def contents(data: Path) -> list[tuple[Any, ...]]:
    """Every article with its images, links and versions, and every page."""
    return [
        *rows(
            data,
            """SELECT url, title, author, date, updated, tags, body, words, body_hash, file_hash, path, archived_at
               FROM articles ORDER BY url""",
        ),
        *rows(
            data,
            "SELECT path, images.url, position, alt FROM images JOIN articles ON id = article ORDER BY 1, 3",
        ),
        *rows(data, "SELECT source, target, position, text, last_seen FROM also_read_links ORDER BY 1, 2"),
        *rows(
            data,
            """SELECT DISTINCT url, kept.title, kept.body
               FROM revisions AS kept JOIN articles ON articles.id = article ORDER BY 1, 2, 3""",
        ),
        *rows(data, "SELECT url, state, depth, found_at, fetched_at, error FROM pages ORDER BY url"),
    ]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return tmp_path / "theirs"


def test_articles_that_only_they_have_are_added_with_their_files(
    mine: Path, theirs: Path, article: MakeArticle
) -> None:
    crawled(mine, FoundPages(pages=[(ROLLS, None)]), stored(article()))
    crawled(theirs, stored(article(url=JAM, title="Jam", also_read=[Link(BREAD, "Bread")])), gone(ROLLS))
    assert merge(mine, theirs) == Merged(articles=1, newer=0, revisions=0, pages=0, runs=1)
    assert set(files(mine)) == {"one.techidaily.com/bread.md", "two.techidaily.com/jam.md"}
    assert files(mine)["two.techidaily.com/jam.md"] == files(theirs)["two.techidaily.com/jam.md"]
    states = [(BREAD, "stored"), (ROLLS, "gone"), (JAM, "stored")]
    assert rows(mine, "SELECT url, state FROM pages ORDER BY url") == states
    links = [(BREAD, ROLLS, 1), (BREAD, JAM, 2), (JAM, BREAD, 1)]
    assert rows(mine, "SELECT source, target, position FROM also_read_links ORDER BY 1, 3") == links
    assert rows(mine, "SELECT url FROM articles WHERE id IN (SELECT rowid FROM articles_fts('jam'))") == [
        (JAM,)
    ]


@pytest.mark.parametrize(
    ("ours", "other", "wins"),
    [
        ({}, {"updated": SPRING + timedelta(days=400)}, "theirs"),
        ({}, {"updated": SPRING - timedelta(days=400)}, "mine"),
        ({}, {}, "theirs"),
        ({"updated": None, "date": None}, {"updated": None}, "theirs"),
        ({"updated": None}, {"updated": None, "date": None}, "mine"),
    ],
)
def test_the_newest_copy_is_current_and_the_other_a_revision(
    mine: Path, theirs: Path, article: MakeArticle, ours: dict[str, Any], other: dict[str, Any], wins: str
) -> None:
    pictures = [Image("https://pictures.example/other.jpg")]
    crawled(mine, stored(article(body="Mine.", **ours), etag='"mine"'))
    crawled(theirs, stored(article(body="Theirs.", images=pictures, also_read=[], **other), etag='"theirs"'))
    newest = theirs if wins == "theirs" else mine
    expected, etag = files(newest), '"theirs"' if wins == "theirs" else None
    assert merge(mine, theirs).newer == (wins == "theirs")
    assert files(mine) == expected
    assert rows(mine, "SELECT body FROM revisions") == [("Mine." if wins == "theirs" else "Theirs.",)]
    assert rows(mine, "SELECT etag FROM pages WHERE url = ?", BREAD) == [(etag,)]


def test_either_way_round_gives_the_same_articles_and_twice_changes_nothing(
    tmp_path: Path, article: MakeArticle
) -> None:
    def made(name: str) -> tuple[Path, Path]:
        return tmp_path / name / "one", tmp_path / name / "other"

    one, other = made("archives")
    later = article().updated + timedelta(days=30)  # type: ignore[operator]
    crawled(one, FoundPages(pages=[(BREAD, None)]), stored(article()), failed(JAM), gone(ROLLS))
    crawled(other, FoundPages(pages=[(JAM, None)]), stored(article(url=JAM, also_read=[Link(BREAD, "Loaf")])))
    crawled(other, stored(article(body="First."), etag='"1"'), failed(ROLLS))
    crawled(other, stored(article(body="Second.", updated=later, also_read=[Link(ROLLS, "Buns")])))
    crawled(one, stored(article(url=ROLLS, title="Rolls", also_read=[]), etag='"2"'))
    crawled(one, stored(article(body="Third.")))
    back = tmp_path / "back"
    shutil.copytree(other, back)
    merge(back, one)
    first = merge(one, other)
    assert first == Merged(articles=1, newer=1, revisions=2, pages=0, runs=3)
    assert contents(one) == contents(back)
    assert files(one) == files(back)
    before = content(one)
    for again in (other, back):
        assert merge(one, again) == Merged(articles=0, newer=0, revisions=0, pages=0, runs=0)
        assert content(one) == before


def test_the_same_version_is_there_once_since_it_was_first_archived(
    mine: Path, theirs: Path, article: MakeArticle
) -> None:
    crawled(theirs, stored(article()))
    first = rows(theirs, "SELECT archived_at, changed_at FROM articles")
    crawled(mine, stored(article()))
    crawled(theirs, stored(article(tags=["another"])))
    assert merge(mine, theirs) == Merged(articles=0, newer=1, revisions=0, pages=0, runs=2)
    assert rows(mine, "SELECT archived_at, changed_at FROM articles") == first
    assert rows(mine, "SELECT tags FROM articles") == [('["another"]',)]
    assert rows(mine, "SELECT crawl, changed_crawl FROM articles") == [(2, 2)]


def test_links_keep_their_first_and_last_sighting(mine: Path, theirs: Path, article: MakeArticle) -> None:
    crawled(theirs, stored(article()))
    crawled(mine, stored(article()))
    crawled(theirs, stored(article(also_read=[Link(JAM, "Jam")])))
    (seen,) = rows(theirs, "SELECT first_seen, last_seen FROM also_read WHERE text = 'Jam'")
    merge(mine, theirs)
    assert rows(mine, "SELECT first_seen, last_seen FROM also_read WHERE text = 'Jam'") == [seen]
    assert rows(mine, "SELECT position FROM also_read WHERE text = 'Rolls'") == [(None,)]


def test_pages_get_the_depth_that_both_archives_together_give(
    mine: Path, theirs: Path, article: MakeArticle
) -> None:
    def way(*names: str) -> Sequence[Visit]:
        urls = [f"https://one.techidaily.com/{name}/" for name in names]
        return [stored(article(url=url, also_read=[Link(on, "on")])) for url, on in pairwise(urls)]

    crawled(mine, *way("start", "a", "b", "c", "d"))
    crawled(theirs, *way("begin", "c", "x"))
    merge(mine, theirs)
    depths = dict(rows(mine, "SELECT url, depth FROM pages"))
    assert [depths[f"https://one.techidaily.com/{name}/"] for name in "abcdx"] == [1, 2, 1, 2, 2]


def test_runs_and_what_belongs_to_them_are_kept(mine: Path, theirs: Path, article: MakeArticle) -> None:
    crawled(mine, stored(article()))
    crawled(theirs, gone(ROLLS))
    crawled(theirs, stored(article(url=JAM, also_read=[])))
    merge(mine, theirs)
    assert rows(mine, "SELECT id, new, gone FROM crawls") == [(1, 1, 0), (2, 0, 1), (3, 1, 0)]
    assert rows(mine, "SELECT crawl FROM articles WHERE url = ?", JAM) == [(3,)]
    assert rows(mine, "SELECT crawl, host FROM host_runs ORDER BY crawl") == [
        (1, "one.techidaily.com"),
        (2, "one.techidaily.com"),
        (3, "two.techidaily.com"),
    ]


def test_a_damaged_archive_is_not_merged(mine: Path, theirs: Path, article: MakeArticle) -> None:
    crawled(mine, stored(article()))
    crawled(theirs, stored(article(url=JAM)), stored(article(url=ROLLS)))
    with closing(sqlite3.connect(theirs / "archive.db")) as db, db:
        db.execute("UPDATE articles SET title = 'another' WHERE url = ?", [JAM])
    before = rows(mine, "SELECT * FROM articles"), rows(mine, "SELECT * FROM pages")
    with pytest.raises(CatalogError, match=f"{JAM} is not what was archived.*verify --repair") as raised:
        merge(mine, theirs)
    assert raised.value.exit_code == 7
    assert (rows(mine, "SELECT * FROM articles"), rows(mine, "SELECT * FROM pages")) == before


def test_the_command_merges_several_archives_and_reports_what_they_added(
    tmp_path: Path, mine: Path, theirs: Path, article: MakeArticle
) -> None:
    crawled(mine, stored(article(also_read=[])))
    crawled(theirs, stored(article(url=JAM, also_read=[])))
    third = crawled(tmp_path / "third", stored(article(url=ROLLS, also_read=[])))

    def run(*others: Path) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["merge", *map(str, others), "--data", str(mine)])
        return result.exit_code, result.output

    code, output = run(theirs, third)
    assert (code, len(files(mine))) == (0, 3)
    assert output.splitlines()[0] == (
        f"{theirs}/archive.db: 1 article, 0 newer, 0 revisions, 1 page, 1 run, 0 pictures."
    )
    again = f"{third}/archive.db: 0 articles, 0 newer, 0 revisions, 0 pages, 0 runs, 0 pictures.\n"
    assert run(third / "archive.db") == (0, again)
    assert run(mine) == (2, f"alsoread: {mine}/archive.db is the archive itself.\n")
    assert "no archive at " in run(tmp_path)[1]
    assert run(tmp_path / "none")[0] == 2
    with open_locked(theirs / "archive.db"):
        assert run(theirs)[0] == 5
    with open_locked(mine / "archive.db"):
        assert run(theirs)[0] == 5
    (third / "archive.db").write_bytes(b"no database")
    assert run(third)[0] == 7
