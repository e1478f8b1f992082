"""The catalog keeps what it is told, whole, in one state a page."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import CatalogError, DiskError, LockedError
from crawler.items import UNLINKED, Article, FoundPages, Image, Link, Visit, iso
from pipelines.archive import articles, lookup
from pipelines.archive.catalog import Catalog
from pipelines.archive.connection import open_readonly
from tests.support.visits import MakeArticle

BREAD = "https://one.techidaily.com/bread/"


def stored(article: Article, **facts: Any) -> Visit:
    return Visit(url=article.url, state="stored", status=200, article=article, **facts)


def page(catalog: Catalog, url: str) -> dict[str, Any]:
    return next(catalog.db.query("SELECT * FROM pages WHERE url = ?", [url]))


def test_an_article_comes_back_as_it_went_in(catalog: Catalog, article: MakeArticle) -> None:
    assert catalog.add(stored(article(), etag='"1"')) == "new"
    found = lookup.find(catalog.db, "http://ONE.techidaily.com/bread/index.html")
    assert articles.load(catalog.db, found) == article()
    assert lookup.find(catalog.db, "data/articles/one.techidaily.com/bread.md") == found
    assert page(catalog, BREAD)["etag"] == '"1"'


def test_links_become_due_pages_with_their_article(catalog: Catalog, article: MakeArticle) -> None:
    catalog.add(stored(article(also_read=[Link("https://two.techidaily.com/jam/", "Jam")])))
    jam = page(catalog, "https://two.techidaily.com/jam/")
    assert (jam["state"], jam["depth"], jam["found_on"]) == ("due", 1, page(catalog, BREAD)["id"])
    assert list(catalog.db.query("SELECT source, target, text FROM also_read_links")) == [
        {"source": BREAD, "target": "https://two.techidaily.com/jam/", "text": "Jam"}
    ]


def test_a_link_out_of_scope_is_known_and_never_due(catalog: Catalog, article: MakeArticle) -> None:
    catalog.add(stored(article(also_read=[Link("https://example.org/shop/", "Shop")])))
    shop = page(catalog, "https://example.org/shop/")
    assert (shop["state"], shop["due_at"], shop["error"]) == ("refused", None, "scope: another site")


@pytest.mark.parametrize(
    ("change", "kind", "revisions"),
    [
        ({}, "unchanged", 0),
        ({"also_read": []}, "unchanged", 0),
        ({"updated": datetime(2025, 1, 1, tzinfo=UTC)}, "unchanged", 0),
        ({"description": "Another"}, "unchanged", 0),
        ({"title": "Another"}, "changed", 1),
        ({"author": "Another"}, "changed", 1),
        ({"body": "Another"}, "changed", 1),
        ({"images": [Image("https://pictures.example/other.jpg")]}, "changed", 1),
    ],
)
def test_what_counts_as_a_change(
    catalog: Catalog, article: MakeArticle, change: dict[str, Any], kind: str, revisions: int
) -> None:
    catalog.add(stored(article()))
    assert catalog.add(stored(article(**change))) == kind
    assert articles.load(catalog.db, 1) == article(**change)
    kept = list(catalog.db.query("SELECT title, author, body, images FROM revisions"))
    assert len(kept) == revisions
    for revision in kept:
        before = article()
        assert revision == {
            "title": before.title,
            "author": before.author,
            "body": before.body,
            "images": json.dumps([{"url": before.images[0].url, "alt": "A loaf", "title": None}]),
        }


def test_a_link_that_left_the_list_stays_known(catalog: Catalog, article: MakeArticle) -> None:
    catalog.add(stored(article()))
    catalog.add(stored(article(also_read=article().also_read[1:])))
    links = list(catalog.db.query("SELECT target, position FROM also_read_links ORDER BY target"))
    assert links == [
        {"target": "https://one.techidaily.com/rolls/", "position": None},
        {"target": "https://two.techidaily.com/jam/", "position": 1},
    ]


def test_no_doubtful_visit_takes_the_place_of_an_article(catalog: Catalog, article: MakeArticle) -> None:
    catalog.add(stored(article()))
    for visit in [
        Visit(url=BREAD, state="failed", reason="the server answers 500 Internal Server Error", status=500),
        Visit(url=BREAD, state="not_article", reason="no article on this page", status=200),
        Visit(url=BREAD, state="gone", reason="the server answers 404 Not Found", status=404),
    ]:
        catalog.add(visit)
        assert articles.load(catalog.db, 1) == article()
    assert page(catalog, BREAD)["state"] == "gone"


def test_not_modified_is_a_visit_and_nothing_else(catalog: Catalog, article: MakeArticle) -> None:
    catalog.add(stored(article(), etag='"1"'))
    assert catalog.add(Visit(url=BREAD, state="stored", status=304)) == "not_modified"
    assert page(catalog, BREAD)["etag"] == '"1"'
    assert articles.load(catalog.db, 1) == article()


def test_failures_wait_longer_each_time_and_success_forgets_them(
    catalog: Catalog, article: MakeArticle
) -> None:
    failed = Visit(url=BREAD, state="failed", reason="no answer")
    waits = []
    for _ in range(3):
        catalog.add(failed)
        due = datetime.fromisoformat(page(catalog, BREAD)["due_at"])
        waits.append(round((due - datetime.now(UTC)).total_seconds(), -1))
    assert waits == [0, 60, 3600]
    assert page(catalog, BREAD)["attempts"] == 3
    catalog.add(stored(article()))
    assert (page(catalog, BREAD)["attempts"], page(catalog, BREAD)["error"]) == (0, None)


def test_retry_after_is_kept_for_the_host(catalog: Catalog) -> None:
    catalog.add(Visit(url=BREAD, state="failed", status=429, reason="too many", retry_after=600))
    until = next(catalog.db.query("SELECT not_before FROM hosts WHERE host = 'one.techidaily.com'"))[
        "not_before"
    ]
    assert (
        timedelta(seconds=590) < datetime.fromisoformat(until) - datetime.now(UTC) <= timedelta(seconds=600)
    )


def test_redirects_lead_on_and_circles_are_told(catalog: Catalog) -> None:
    there, back = "https://one.techidaily.com/a/", "https://one.techidaily.com/b/"
    catalog.add(Visit(url=there, state="not_article", status=301, reason="redirects", moved_to=back))
    assert page(catalog, back)["state"] == "due"
    assert page(catalog, there)["moved_to"] == page(catalog, back)["id"]
    catalog.add(Visit(url=back, state="not_article", status=301, reason="redirects", moved_to=there))
    assert {page(catalog, url)["error"] for url in (there, back)} == {"redirects in a circle"}


def test_a_shorter_way_brings_all_behind_it_nearer(catalog: Catalog, article: MakeArticle) -> None:
    def way(*names: str) -> None:
        urls = [f"https://one.techidaily.com/{name}/" for name in names]
        for url, following in pairwise(urls):
            catalog.add(stored(article(url=url, also_read=[Link(following, "on")])))

    catalog.add(FoundPages(pages=[("https://one.techidaily.com/start/", None)]))
    way("start", "a", "b", "c", "d", "e")
    assert page(catalog, "https://one.techidaily.com/e/")["depth"] == 5
    short = [Link("https://one.techidaily.com/a/", "a"), Link("https://one.techidaily.com/d/", "d")]
    catalog.add(stored(article(url="https://one.techidaily.com/start/", also_read=short)))
    depths = dict(catalog.db.execute("SELECT url, depth FROM pages").fetchall())
    assert [depths[f"https://one.techidaily.com/{name}/"] for name in "abcde"] == [1, 2, 3, 1, 2]


def test_a_redirect_brings_a_page_of_a_sitemap_and_all_behind_it_nearer(
    catalog: Catalog, article: MakeArticle
) -> None:
    start, old, new, behind = (f"https://one.techidaily.com/{name}/" for name in ("", "old", "new", "behind"))
    catalog.add(FoundPages(pages=[(new, None)], host="one.techidaily.com", depth=UNLINKED))
    catalog.add(stored(article(url=new, also_read=[Link(behind, "on")])))
    catalog.add(FoundPages(pages=[(start, None), (old, None)], depth=1))
    assert page(catalog, behind)["depth"] > UNLINKED
    catalog.add(Visit(url=old, state="not_article", status=301, reason="redirects", moved_to=new))
    assert (page(catalog, new)["depth"], page(catalog, behind)["depth"]) == (1, 2)


def test_a_newer_lastmod_makes_a_stored_page_due(catalog: Catalog, article: MakeArticle) -> None:
    catalog.add(stored(article()))
    for lastmod, due in [(article().updated, False), (datetime(2024, 9, 1, tzinfo=UTC), True)]:
        catalog.add(FoundPages(pages=[(BREAD, lastmod)]))
        assert (page(catalog, BREAD)["due_at"] <= iso(datetime.now(UTC) + timedelta(seconds=1))) is due


def test_every_visit_is_counted_once(catalog: Catalog, article: MakeArticle) -> None:
    gone = Visit(url="https://one.techidaily.com/x/", state="gone", status=404)

    async def write() -> list[str]:
        return await asyncio.gather(
            *(catalog.write(item) for item in (stored(article()), stored(article()), gone))
        )

    assert asyncio.run(write()) == ["new", "unchanged", "gone"]
    assert catalog.stop_writer() == []
    row = next(catalog.db.query("SELECT pages, new, unchanged, gone, failed FROM crawls"))
    assert row == {"pages": 3, "new": 1, "unchanged": 1, "gone": 1, "failed": 0}
    assert {name: catalog.counts[name] for name in row} == row


def test_a_host_whose_sitemap_a_killed_run_may_not_have_read_is_asked_again(tmp_path: Path) -> None:
    def crawl(*visits: Visit, outcome: str) -> set[str]:
        held = Catalog(tmp_path / "archive.db", scope=["techidaily.com"], retry_delays=[])
        held.begin_crawl()
        reached = held.reached_hosts()
        for visit in visits:
            held.add(visit)
        held.end_crawl(outcome)
        held.close()
        return reached

    old = Visit(url="https://two.techidaily.com/old/", state="gone", status=404)
    assert crawl(old, outcome="killed") == set()
    assert crawl(outcome="shutdown") == {"two.techidaily.com"}
    assert crawl(outcome="finished") == {"two.techidaily.com"}
    assert crawl(outcome="finished") == set()


def test_search_and_views_answer(catalog: Catalog, article: MakeArticle) -> None:
    catalog.add(stored(article(body="Knead the doughs, then bake.")))
    catalog.add(stored(article(url="https://two.techidaily.com/jam/", title="Jam", also_read=[])))
    catalog.add(Visit(url="https://one.techidaily.com/rolls/", state="gone", reason="the server answers 404"))

    def rows(query: str) -> list[tuple[Any, ...]]:
        return catalog.db.execute(query).fetchall()

    assert rows("SELECT url FROM articles WHERE id IN (SELECT rowid FROM articles_fts('dough'))") == [
        (BREAD,)
    ]
    assert rows("SELECT host, articles FROM articles_by_host") == [
        ("one.techidaily.com", 1),
        ("two.techidaily.com", 1),
    ]
    assert rows("SELECT url, reason, linked_from FROM missing_targets") == [
        ("https://one.techidaily.com/rolls/", "the server answers 404", 1)
    ]
    assert rows("SELECT url FROM orphans") == [(BREAD,)]
    assert rows("SELECT value FROM articles, json_each(tags) WHERE articles.id = 1") == [("bread",), ("yes",)]
    assert rows("PRAGMA foreign_key_check") == []
    assert rows("PRAGMA integrity_check") == [("ok",)]


def test_one_crawl_at_a_time(catalog: Catalog) -> None:
    with pytest.raises(LockedError, match=r"locked by crawl 1 \(process \d+, since 20") as raised:
        Catalog(catalog.path, scope=[], retry_delays=[])
    assert raised.value.exit_code == 5


def test_a_crawl_that_was_killed_leaves_no_lock_and_is_told(tmp_path: Path) -> None:
    script = f"""
import os
from pathlib import Path
from crawler.items import FoundPages
from pipelines.archive.catalog import Catalog
catalog = Catalog(Path({str(tmp_path / "archive.db")!r}), scope=["techidaily.com"], retry_delays=[])
catalog.begin_crawl()
catalog.add(FoundPages(pages=[({BREAD!r}, None)]))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    catalog = Catalog(tmp_path / "archive.db", scope=["techidaily.com"], retry_delays=[])
    catalog.begin_crawl()
    assert page(catalog, BREAD)["state"] == "due"
    assert catalog.db.execute("SELECT outcome FROM crawls ORDER BY id").fetchall() == [("killed",), (None,)]
    catalog.end_crawl("finished")
    catalog.close()


def test_a_catalog_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    catalog = Catalog(path, scope=[], retry_delays=[])
    catalog.begin_crawl()
    catalog.end_crawl("finished")
    catalog.close()
    with sqlite3.connect(path) as db:
        db.execute(
            """INSERT INTO _sqlite_migrations
               SELECT id + 100, migration_set, 'm999_later', applied_at FROM _sqlite_migrations LIMIT 1"""
        )
    db.close()
    before = path.read_bytes()
    for use in (lambda: Catalog(path, scope=[], retry_delays=[]), lambda: open_readonly(path)):
        with pytest.raises(CatalogError, match="written by a newer alsoread") as raised:
            use()
        assert raised.value.exit_code == 7
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_catalog_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "archive.db"
    path.write_bytes(content)
    with pytest.raises(CatalogError) as raised:
        Catalog(path, scope=[], retry_delays=[])
    assert raised.value.exit_code == 7
    assert path.read_bytes() == content


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskError, match="can't be written") as raised:
        Catalog(tmp_path / "file" / "archive.db", scope=[], retry_delays=[])
    assert raised.value.exit_code == 6
