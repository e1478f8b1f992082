"""Crawls that are repeated: what is asked for again, and what counts as a change. Days pass by a clock set ahead."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlite_utils import Database

from crawler.items import Article, FoundPages, Link, Visit, iso
from pipelines.archive.catalog import Catalog
from pipelines.archive.revisit import AUDIT, LONGEST, SPREAD, is_audited
from tests.conftest import DEMO
from tests.site import SEED, Request, Site, build
from tests.site.server import Reply
from tests.support.commands import Run, alsoread
from tests.support.visits import MakeArticle

LOAF = "kitchen-notes.techidaily.com/a-slow-loaf-for-a-busy-week"
LENTILS = "kitchen-notes.techidaily.com/one-pot-lentils"
PICKLES = "https://kitchen-notes.techidaily.com/pickles-in-an-afternoon/"


class Archive(NamedTuple):
    """An archive of the demo network, whose sources a test may change before the next crawl."""

    source: Path
    network: Path
    data: Path

    def edit(self, post: str, old: str, new: str) -> None:
        """Changes a post's source."""
        file = self.source / f"{post}.md"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def crawl(self, *args: str, day: float = 0) -> list[Request]:
        """Publishes the sources and crawls them on a day; returns the requests that were sent."""
        shutil.rmtree(self.network, ignore_errors=True)
        build(self.source, self.network)
        with Site(self.network) as site:
            command = [sys.executable, "-W", "error", "-m", "crawler", "crawl", *(args or [SEED])]
            command += ["--data", str(self.data), "--connect-to", site.url, "--quiet"]
            environment = os.environ | {"ALSOREAD_CLOCK_OFFSET": str(day * 86400)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode in (0, 1), done.stderr
            return site.log

    def rows(self, query: str, *values: str) -> list[dict[str, Any]]:
        """What the catalog answers."""
        db = Database(self.data / "archive.db")
        try:
            return list(db.query(query, values))
        finally:
            db.close()

    def last(self) -> dict[str, Any]:
        """The last crawl's row."""
        return self.rows("SELECT * FROM crawls ORDER BY id DESC LIMIT 1")[0]


@pytest.fixture
def archive(run: Run, tmp_path: Path) -> Archive:
    """After its first crawl."""
    shutil.copytree(DEMO, tmp_path / "source")
    shutil.copytree(run.data, tmp_path / "data")
    return Archive(tmp_path / "source", tmp_path / "network", tmp_path / "data")


def pages(requests: list[Request]) -> set[str]:
    """The articles' addresses among the requests."""
    return {
        f"https://{request.host}{request.path}"
        for request in requests
        if request.path.endswith("/") and request.path != "/"
    }


def test_a_later_crawl_asks_for_what_the_sitemap_says_and_no_more(archive: Archive) -> None:
    archive.edit(LOAF, "Good bread does not ask for much work.", "Good bread asks for little work.")
    archive.edit(LOAF, "updated: 2024-03-02", "updated: 2024-10-02")
    asked = archive.crawl(day=2)
    assert pages(asked) == {SEED}
    row = archive.last()
    assert (row["changed"], row["page_requests"], row["reason"]) == (1, 1, "revisit")
    kinds = [sum(request.path.endswith(end) for request in asked) for end in ("/", ".xml", "robots.txt")]
    assert [row[f"{kind}_requests"] for kind in ("page", "sitemap", "robots")] == kinds
    assert row["requests"] == sum(kinds) == len(asked)
    kept = archive.rows(
        "SELECT revisions.body FROM revisions JOIN articles ON articles.id = article WHERE url = ?", SEED
    )
    assert [len(row) for row in kept] == [1]
    assert "does not ask for much work" in kept[0]["body"]
    changed = archive.rows("SELECT crawl, changed_crawl FROM articles WHERE url = ?", SEED)
    assert changed == [{"crawl": 1, "changed_crawl": 2}]


def test_only_the_text_title_author_and_pictures_make_a_revision(archive: Archive) -> None:
    archive.edit(LOAF, "updated: 2024-03-02", "updated: 2024-10-02")
    archive.edit(LENTILS, "<ul>", "<ul class='rotated'>")
    asked = archive.crawl("--recrawl", "all", SEED, day=2)
    row = archive.last()
    assert (row["changed"], row["new"]) == (0, 0)
    assert row["unchanged"] >= 1
    assert row["not_modified"] > 20
    assert row["fetched"] + row["not_modified"] + row["gone"] < len(asked)
    assert archive.rows("SELECT * FROM revisions") == []
    assert archive.rows("SELECT updated FROM articles WHERE url = ?", SEED)[0]["updated"].startswith(
        "2024-10-02"
    )


def test_new_posts_alone(archive: Archive) -> None:
    text = (archive.source / f"{LENTILS}.md").read_text(encoding="utf-8")
    (archive.source / f"{LENTILS}-again.md").write_text(text, encoding="utf-8")
    asked = archive.crawl("--recrawl", "none", SEED, day=100)
    assert pages(asked) == {f"https://{LENTILS}-again/"}
    assert archive.last()["new"] == 1


def test_a_post_that_went_keeps_its_article(archive: Archive) -> None:
    (archive.source / f"{LENTILS}.md").unlink()
    archive.crawl("--recrawl", "all", SEED, day=2)
    page = archive.rows("SELECT * FROM pages JOIN articles USING (url) WHERE url = ?", f"https://{LENTILS}/")[
        0
    ]
    assert (page["state"], page["error"]) == ("gone", "the server answers 404 Not Found")
    assert page["body"]
    day = page["gone_at"]
    archive.crawl("--recrawl", "all", SEED, day=4)
    again = archive.rows("SELECT gone_at FROM pages WHERE url = ?", f"https://{LENTILS}/")[0]
    assert again["gone_at"] == day, "the day it went, not the last time that it was missed"


class Unchanging(Site):
    """Says "not modified" to whoever has any validator, whatever changed."""

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        if "if-none-match" in headers:
            return Reply(304, {})
        return super().answer(host, path, headers)


def test_an_audit_sees_a_change_that_the_validators_hide(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.edit(LOAF, "Good bread does not ask for much work.", "Good bread asks for little work.")
    build(archive.source, archive.network)
    last = archive.last()["id"]
    audit = next(crawl for crawl in range(last + 2, last + 2 + AUDIT) if is_audited(SEED, crawl))
    with closing(Database(archive.data / "archive.db")) as db:
        db.table("crawls").insert(archive.last() | {"id": audit - 2})
    seen = []
    for crawl in (audit - 1, audit):
        monkeypatch.setenv("ALSOREAD_CLOCK_OFFSET", str(crawl * 86400))
        with Unchanging(archive.network) as site:
            done = alsoread(
                "crawl", SEED, "--recrawl", "all", "--connect-to", site.url, "--data", archive.data
            )
            assert done.returncode in (0, 1), done.stderr
        seen.append(archive.last()["changed"])
    assert seen == [0, 1]


def stored(article: Article, **facts: Any) -> Visit:
    return Visit(url=article.url, state="stored", status=200, article=article, **facts)


def page(catalog: Catalog, url: str) -> dict[str, Any]:
    return next(catalog.db.query("SELECT * FROM pages JOIN hosts USING (host) WHERE url = ?", [url]))


def test_a_page_whose_changes_are_announced_is_left_alone_for_long(
    catalog: Catalog, article: MakeArticle
) -> None:
    catalog.add(stored(article()))
    assert _days_until(page(catalog, article().url)["due_at"]) == 6
    catalog.add(FoundPages(pages=[(article().url, article().updated)]))
    soonest = (LONGEST.days - SPREAD, LONGEST.days)
    assert soonest[0] <= _days_until(page(catalog, article().url)["due_at"]) <= soonest[1]
    catalog.add(stored(article()))
    assert soonest[0] <= _days_until(page(catalog, article().url)["due_at"]) <= soonest[1]


def test_a_sitemap_that_misses_changes_is_not_trusted(catalog: Catalog, article: MakeArticle) -> None:
    articles = [article(url=f"https://one.techidaily.com/{n}/", also_read=[]) for n in range(20)]
    catalog.add(FoundPages(pages=[(item.url, item.updated) for item in articles]))
    for item in articles:
        catalog.add(stored(item))
    for n, item in enumerate(articles):
        changed = article(url=item.url, also_read=[], body="Something else.") if n < 2 else item
        catalog.add(stored(changed))
    host = page(catalog, articles[0].url)
    assert (host["audited"], host["missed"], host["announces"]) == (20, 2, 0)
    assert all(_days_until(page(catalog, item.url)["due_at"]) <= 7 for item in articles)


@pytest.mark.parametrize("minutes", [(1, 2), (2, 1)])
def test_of_two_times_that_sitemaps_give_a_page_the_later_counts(
    catalog: Catalog, minutes: tuple[int, int]
) -> None:
    noon = datetime(2024, 10, 1, 12, tzinfo=UTC)
    for minute in minutes:
        catalog.add(FoundPages(pages=[("https://one.techidaily.com/", noon.replace(minute=minute))]))
    assert page(catalog, "https://one.techidaily.com/")["lastmod"] == iso(noon.replace(minute=2))


def test_one_of_a_hundred_announced_pages_is_looked_at_all_the_same(
    catalog: Catalog, article: MakeArticle
) -> None:
    articles = [article(url=f"https://one.techidaily.com/{n}/", also_read=[]) for n in range(200)]
    listed = FoundPages(pages=[(item.url, item.updated) for item in articles])
    catalog.add(listed)
    for item in articles:
        catalog.add(stored(item))
    catalog.add(listed)
    assert _due(catalog) == 0, "not on the day they were fetched"
    catalog.db.execute("UPDATE pages SET fetched_at = '2024-10-01T00:00:00.000Z'")
    catalog.add(listed)
    assert _due(catalog) == sum(is_audited(item.url, catalog.crawl) for item in articles)
    assert 1 <= _due(catalog) <= 6


def test_failed_pages_are_tried_again_when_asked_for(catalog: Catalog) -> None:
    for _ in range(5):
        catalog.add(Visit(url=PICKLES, state="failed", reason="no answer"))
    assert _due(catalog) == 0
    catalog.make_due(lambda host: host.startswith("other"), failed=True, everything=False)
    assert _due(catalog) == 0
    catalog.make_due(lambda _: True, failed=True, everything=False)
    assert _due(catalog) == 1


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[Catalog]:
    """A catalog that gives a host up after three failures in a row."""
    held = Catalog(tmp_path / "archive.db", scope=["techidaily.com"], retry_delays=[0], host_failures=3)
    held.begin_crawl()
    yield held
    held.end_crawl("finished")
    held.close()


def test_a_host_that_keeps_failing_is_left_alone(careful: Catalog, article: MakeArticle) -> None:
    failed = Visit(url=PICKLES, state="failed", status=502, reason="the server answers 502")
    for expected in (None, None, 600, 1200):
        careful.add(failed)
        until = page(careful, PICKLES)["not_before"]
        assert (until and round(_seconds_until(until), -1)) == expected
    careful.add(stored(article(url="https://kitchen-notes.techidaily.com/soup/", also_read=[])))
    careful.add(failed)
    assert page(careful, PICKLES)["failures"] == 1, "an answer makes up for all before it"
    gone = Visit(url="https://kitchen-notes.techidaily.com/x/", state="gone", status=404)
    careful.add(gone)
    assert page(careful, PICKLES)["failures"] == 0


def test_a_link_that_left_a_list_stays_known(catalog: Catalog, article: MakeArticle) -> None:
    jam, rolls = (Link(f"https://one.techidaily.com/{name}/", name) for name in ("jam", "rolls"))
    catalog.add(stored(article(also_read=[jam, rolls])))
    assert catalog.add(stored(article(also_read=[rolls]))) == "unchanged"
    query = "SELECT text, position, first_seen < last_seen FROM also_read ORDER BY text"
    assert catalog.db.execute(query).fetchall() == [("jam", None, 0), ("rolls", 1, 1)]
    seen = "SELECT max(last_seen) FROM also_read"
    before = catalog.db.execute(seen).fetchone()
    catalog.add(Visit(url=article().url, state="stored", status=304))
    assert catalog.db.execute(query).fetchall() == [("jam", None, 0), ("rolls", 1, 1)]
    assert catalog.db.execute(seen).fetchone() > before, "a 304 confirms the list"


def _due(catalog: Catalog) -> int:
    soon = datetime.now(UTC) + timedelta(seconds=1)  # each item has a millisecond of its own, and took less
    query = "SELECT count(*) FROM pages WHERE due_at <= ?"
    count: int = catalog.db.execute(query, [iso(soon)]).fetchone()[0]
    return count


def _seconds_until(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


def _days_until(moment: str) -> int:
    return int(_seconds_until(moment) // 86400)
