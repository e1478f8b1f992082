"""The main job, as a user runs it: the demo network crawled over HTTP, against its sources."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import frontmatter
import pytest
from click.testing import CliRunner
from sqlite_utils.cli import cli as sqlite_utils

from pipelines.archive import articles, lookup
from pipelines.archive.article_file import front_matter, path_of
from tests.site import SEED, Post, Site, posts
from tests.support.commands import Run, crawl, here, opened
from tests.support.walk import walk

DEMO = Path(__file__).parents[2] / "data" / "demo"
POSTS = posts(DEMO)
ONLY_IN_SITEMAP = "https://garden-diary.techidaily.com/seed-tapes-from-newspaper/"


@pytest.fixture(scope="module")
def by_links(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return crawl(network, tmp_path_factory.mktemp("by-links"), SEED, "--discover", "links", "--json")


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.slug[:40])
def test_the_archive_holds_what_the_source_says(run: Run, post: Post) -> None:
    stored = articles.load(run.db, lookup.find(run.db, post.url))
    assert stored == post.article
    file = frontmatter.load(str(run.data / "articles" / path_of(post.url)))
    assert file.metadata == front_matter(post.article)
    assert file.content == post.article.body


def test_every_post_and_nothing_else(run: Run) -> None:
    assert run.urls == {post.url for post in POSTS}
    files = {str(path.relative_to(run.data / "articles")) for path in run.data.glob("articles/*.*/**/*.md")}
    assert files == {path for (path,) in run.db.execute("SELECT path FROM articles")}


def test_nothing_is_fetched_twice(run: Run) -> None:
    counts = Counter((request.host, request.path) for request in run.site.log)
    assert [address for address, count in counts.items() if count > 1] == []


def test_what_is_forbidden_or_elsewhere_is_never_requested(run: Run) -> None:
    assert all(request.host.endswith(".techidaily.com") for request in run.site.log)
    assert "/article_preview.html" not in {request.path for request in run.site.log}
    assert all("contact: " in request.headers["user-agent"] for request in run.site.log)


def test_every_page_has_a_state_and_a_reason(run: Run) -> None:
    pages = {
        row["url"]: (row["state"], row["error"])
        for row in run.db.query("SELECT url, state, error FROM pages")
    }
    kitchen, small = "https://kitchen-notes.techidaily.com", "https://small-fixes.techidaily.com"
    new_place = f"{kitchen}/sharpening-a-kitchen-knife/"
    expected = {
        f"{kitchen}/a-post-that-was-taken-down/": ("gone", "the server answers 404 Not Found"),
        f"{kitchen}/how-to-sharpen-a-knife/": ("not_article", f"redirects to {new_place}"),
        "https://garden-diary.techidaily.com/our-old-shop/": (
            "not_article",
            "redirects to https://shop.example.org/garden/",
        ),
        "https://shop.example.org/garden/": ("refused", "scope: another site"),
        f"{small}/round-and-round/": ("not_article", "redirects in a circle"),
        f"{small}/and-round-again/": ("not_article", "redirects in a circle"),
        "https://example.org/a-page-elsewhere/": ("refused", "scope: another site"),
        "https://home-server.techidaily.com/article_preview.html": (
            "refused",
            "robots: robots.txt of home-server.techidaily.com disallows /article_preview.html",
        ),
    }
    assert {url: pages[url] for url in expected} == expected
    assert all(error for state, error in pages.values() if state not in ("stored", "due"))
    assert "due" not in {state for state, _ in pages.values()}


def test_the_sums_agree(run: Run) -> None:
    row = next(run.db.query("SELECT * FROM crawls"))
    parts = ("new", "changed", "unchanged", "not_modified", "not_article", "gone", "refused", "failed")
    assert row["pages"] == sum(row[name] for name in parts)
    assert row["new"] == len(POSTS)
    assert row["requests"] == len(run.site.log)
    assert row["outcome"] == "finished"


def test_the_summary_has_the_counts_of_the_run(run: Run) -> None:
    assert run.code == 1, run.err  # a template that is not known is an alarm
    assert f"The archive holds {len(POSTS)} articles; 0 pages are due." in run.out
    assert "paper-crafts.techidaily.com uses a template that is not known" in " ".join(run.out.split())
    assert "Traceback" not in run.err


def test_by_links_alone_the_archive_is_what_a_plain_walk_reaches(network: Path, by_links: Run) -> None:
    with Site(network) as site:
        reached = walk(site.url, SEED)
    assert by_links.urls == set(reached)
    assert by_links.urls == {post.url for post in POSTS} - {ONLY_IN_SITEMAP}
    depths = dict(by_links.db.execute("SELECT url, depth FROM pages JOIN articles USING (url)"))
    assert depths == reached


@pytest.mark.parametrize("deep", [0, 2])
def test_max_depth(network: Path, tmp_path: Path, by_links: Run, deep: int) -> None:
    near = crawl(network, tmp_path, SEED, "--discover", "links", "--max-depth", str(deep))
    query = "SELECT url FROM pages JOIN articles USING (url) WHERE depth <= ?"
    assert near.urls == {url for (url,) in by_links.db.execute(query, [deep])}


def test_a_host_as_seed_gives_its_sitemap(network: Path, tmp_path: Path) -> None:
    host = "garden-diary.techidaily.com"
    run = crawl(network, tmp_path, host, "--host", "garden-*", "--discover", "links")
    assert run.urls == {post.url for post in POSTS if post.blog.host == host}
    due = run.db.execute("SELECT count(*) FROM pages WHERE state = 'due' AND host <> ?", [host]).fetchone()[0]
    assert due > 0, "links to other hosts stay known"
    assert {request.host for request in run.site.log} == {host}


def test_scrapy_itself_gives_the_same_archive(network: Path, tmp_path: Path, run: Run) -> None:
    with Site(network) as site:
        command = [sys.executable, "-m", "scrapy", "crawl", "also_read", "-a", f"seeds={SEED}"]
        settings = {"ALSOREAD_CONNECT_TO": site.url, "ALSOREAD_DATA": tmp_path}
        command += [f"-s{name}={value}" for name, value in settings.items()]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=DEMO.parents[1])
    for query in (
        "SELECT url, state, status, error, depth FROM pages ORDER BY url",
        "SELECT url, title, body, path FROM articles ORDER BY url",
        "SELECT source, target, position FROM also_read_links ORDER BY source, target",
    ):
        mine, theirs = (opened(data).execute(query).fetchall() for data in (run.data, tmp_path))
        assert mine == theirs


def test_a_budget_stops_the_run_and_the_next_one_goes_on(network: Path, tmp_path: Path) -> None:
    first = crawl(network, tmp_path, SEED, "--max-pages", "10")
    assert next(first.db.query("SELECT pages FROM crawls"))["pages"] == 10
    second = crawl(network, tmp_path, SEED)
    assert second.urls == {post.url for post in POSTS}
    asked = Counter((request.host, request.path) for request in first.site.log + second.site.log)
    archived_twice = [url for url in second.urls if asked[url.split("/")[2], "/" + url.split("/", 3)[3]] > 1]
    assert archived_twice == []


def test_a_crawl_with_nothing_due_asks_for_nothing(network: Path, tmp_path: Path, run: Run) -> None:
    shutil.copytree(run.data, tmp_path, dirs_exist_ok=True)
    again = crawl(network, tmp_path, SEED, "--json")
    assert json.loads(again.out)["crawl"]["pages"] == 0
    assert again.site.log == []
    assert again.code == 0


def test_a_summary_for_programs(by_links: Run) -> None:
    summary: dict[str, Any] = json.loads(by_links.out)
    assert summary["articles"] == len(POSTS) - 1
    assert summary["crawl"]["new"] == len(POSTS) - 1
    assert summary["exit_code"] == by_links.code == 1
    assert Path(summary["log"]).is_file()


def test_quiet_says_nothing(network: Path, tmp_path: Path) -> None:
    run = crawl(
        network, tmp_path, SEED, "--quiet", "--max-pages", "2", "--host", "kitchen-notes.techidaily.com"
    )
    assert (run.code, run.out, run.err) == (0, "", "")


def test_status_and_show(run: Run) -> None:
    told = " ".join(here("status", "--data", run.data).stdout.split())
    assert f"{len(POSTS)} articles of 6 hosts" in told
    assert (
        "1 the server answers 404 Not Found https://kitchen-notes.techidaily.com/a-post-that-was-taken-down/"
        in told
    )
    post = POSTS[0]
    by_address, by_file = (
        here("show", name, "--data", run.data)
        for name in (post.url, run.data / "articles" / path_of(post.url))
    )
    assert by_address.stdout == by_file.stdout == (run.data / "articles" / path_of(post.url)).read_text()


def test_sqlite_utils_opens_it_as_it_is(run: Run) -> None:
    def query(*args: str) -> Any:
        arguments = [args[0], str(run.data / "archive.db"), *args[1:]]
        return json.loads(CliRunner().invoke(sqlite_utils, arguments, catch_exceptions=False).stdout)

    assert query("search", "articles", "sourdough", "-c", "title")
    keys = {(key["from"], key["table"]) for key in query("query", "PRAGMA foreign_key_list(also_read)")}
    assert keys == {("source", "articles"), ("target", "pages")}
    assert query("rows", "duplicates")[0]["copies"] == 2
    assert query("rows", "orphans") == [
        {"url": ONLY_IN_SITEMAP, "title": next(p.article.title for p in POSTS if p.url == ONLY_IN_SITEMAP)}
    ]
