"""What a crawl says that had nothing to do, or could not reach its seeds."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlite_utils.cli import cli as sqlite_utils

from tests.site import SEED, Site
from tests.support.commands import Run, alsoread, crawl, here

KITCHEN = "kitchen-notes.techidaily.com"


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    """A copy of the demo network's archive."""
    shutil.copytree(run.data, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def nowhere(network: Path) -> str:
    """The address of a server that is gone."""
    with Site(network) as site:
        return site.url


def test_seeds_that_the_patterns_exclude_are_wrong_usage(tmp_path: Path) -> None:
    done = here("crawl", SEED, "--host", "garden", "--host", "small-*", "--data", tmp_path / "data")
    assert (done.exit_code, done.stderr) == (
        2,
        f"alsoread: --host garden, small-* excludes every seed ({KITCHEN}): a pattern has to match the whole name of "
        "a host, as *-tips.techidaily.com does.\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_the_settings_file_is_named_where_its_patterns_exclude_the_seeds(tmp_path: Path) -> None:
    (tmp_path / "alsoread.toml").write_text('crawl.hosts = ["garden.*"]\n', encoding="utf-8")
    done = here("crawl", "--data", tmp_path)
    assert done.exit_code == 2
    start, _, seeds = done.stderr.partition(" excludes every seed (ai-video-editing.techidaily.com, ")
    assert start == f"alsoread: {tmp_path}/alsoread.toml: crawl.hosts garden.*"
    assert " more): " in seeds


def test_patterns_may_name_hosts_that_the_archive_knows(network: Path, data: Path) -> None:
    done = crawl(network, data, SEED, "--host", "garden-*", "--recrawl", "all")
    assert (done.code, done.err) == (0, "")
    assert {request.host for request in done.site.log} == {"garden-diary.techidaily.com"}


def test_an_empty_file_of_seeds_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "seeds.txt").write_text("# to do\n", encoding="utf-8")
    done = here("crawl", tmp_path / "seeds.txt", "--data", tmp_path / "data")
    assert (done.exit_code, done.stderr) == (
        2,
        f"alsoread: {tmp_path}/seeds.txt is empty: write an address or a host on each line.\n",
    )
    assert not (tmp_path / "data").exists()


def test_a_crawl_with_nothing_due_says_when_the_next_page_is(data: Path, nowhere: str) -> None:
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute("UPDATE pages SET due_at = '2999-02-01T00:00:00.000Z' WHERE due_at NOT NULL")
        db.execute("UPDATE pages SET due_at = '2999-01-01T05:06:07.000Z' WHERE url = ?", [SEED])
    done = alsoread("crawl", SEED, "--connect-to", nowhere, "--data", data)
    assert done.returncode == 0
    assert "No page is due before 2999-01-01 05:06 UTC; --recrawl all fetches them now.\n" in done.stdout
    done = alsoread("crawl", SEED, "--host", "garden-*", "--connect-to", nowhere, "--data", data, "--json")
    report = json.loads(done.stdout)
    assert (report["next_due"], report["exit_code"]) == ("2999-02-01T00:00:00.000Z", 0)
    assert report["idle"] == (
        "No page of hosts that match garden-* is due before 2999-02-01 00:00 UTC; --recrawl all fetches them now."
    )


def test_a_host_that_is_left_alone_counts_as_not_due(data: Path, nowhere: str) -> None:
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute("UPDATE hosts SET not_before = '2999-01-01T05:06:07.000Z'")
        db.execute("UPDATE pages SET due_at = NULL WHERE url <> ?", [SEED])
    done = alsoread("crawl", SEED, "--connect-to", nowhere, "--data", data)
    assert "No page is due before 2999-01-01 05:06 UTC" in done.stdout


def test_a_crawl_of_new_pages_alone_may_find_none(data: Path, nowhere: str) -> None:
    done = alsoread("crawl", SEED, "--recrawl", "none", "--connect-to", nowhere, "--data", data)
    assert (done.returncode, "No page is new, and --recrawl none fetches no others.\n" in done.stdout) == (
        0,
        True,
    )


@pytest.mark.parametrize(
    ("due_at", "said"),
    [
        (None, "No page is due, now or later; `alsoread status` says why."),
        ("2000-01-01T00:00:00.000Z", "What is due is beyond --max-depth or a budget."),
    ],
)
def test_pages_that_no_run_will_reach(data: Path, nowhere: str, due_at: str | None, said: str) -> None:
    with closing(sqlite3.connect(data / "archive.db")) as db, db:
        db.execute("UPDATE pages SET due_at = iif(depth = 2, ?, NULL)", [due_at])
    done = alsoread("crawl", SEED, "--max-depth", "0", "--connect-to", nowhere, "--data", data)
    assert (done.returncode, f"{said}\n" in done.stdout) == (0, True)


def test_a_seed_that_could_not_be_reached_is_named_with_hosts_like_it(
    data: Path, tmp_path: Path, nowhere: str
) -> None:
    done = alsoread("crawl", "kitchn-notes.techidaily.com", "--connect-to", nowhere, "--data", data)
    sentence = "The seed kitchn-notes.techidaily.com could not be reached: "
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(sentence)]
    assert "the server refuses connections" in line
    assert line.endswith(f" Did you mean {KITCHEN}?")
    shipped = "android-unlok.techidaily.com"
    done = alsoread("crawl", shipped, "--connect-to", nowhere, "--data", tmp_path / "new", "--json")
    (host,) = json.loads(done.stdout)["unreachable"]
    assert (host["host"], host["similar"]) == (shipped, ["android-unlock.techidaily.com"])
    assert "the server refuses connections" in host["reason"]
    assert done.returncode == 3


def test_a_seed_of_a_subdomain_of_a_blog_that_could_not_be_reached(tmp_path: Path, nowhere: str) -> None:
    seed = "old.kitchen-notes.techidaily.com"
    done = alsoread("crawl", seed, "--connect-to", nowhere, "--data", tmp_path / "new", "--json")
    (host,) = json.loads(done.stdout)["unreachable"]
    assert (host["host"], host["similar"], done.returncode) == (seed, [], 3)


def test_a_host_that_answered_before_is_named_without_suggestions(data: Path, nowhere: str) -> None:
    done = alsoread("crawl", SEED, "--recrawl", "all", "--connect-to", nowhere, "--data", data, "--json")
    assert [(host["host"], host["similar"]) for host in json.loads(done.stdout)["unreachable"]] == [
        (KITCHEN, [])
    ]


def test_a_run_that_reached_its_seeds_names_none(network: Path, data: Path) -> None:
    report = json.loads(crawl(network, data, SEED, "--recrawl", "all", "--json").out)
    assert (report["unreachable"], report["idle"]) == ([], None)


def test_the_search_that_a_summary_suggests_finds_something(run: Run) -> None:
    (line,) = [line for line in run.out.splitlines() if "sqlite-utils search" in line]
    _, _, *arguments = line.replace("'", "").split()
    done = CliRunner().invoke(sqlite_utils, ["search", *arguments], catch_exceptions=False)
    assert len(json.loads(done.stdout)) > 0


def test_no_search_is_suggested_without_articles(tmp_path: Path, nowhere: str) -> None:
    done = alsoread("crawl", SEED, "--connect-to", nowhere, "--data", tmp_path)
    assert "Next: alsoread status" in done.stdout
    assert "sqlite-utils" not in done.stdout
