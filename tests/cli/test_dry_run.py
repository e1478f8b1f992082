"""What --dry-run announces against what the same command then does; nothing is changed by it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ARTICLE
from tests.site import SEED, Site
from tests.support.commands import Run, alsoread, here
from tests.support.exports import ROLLS, make_archive, three_articles
from tests.support.imports import archive, write

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a folder but SQLite's own beside a catalog, and the lock."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))
    }


def result(*args: str | Path) -> dict[str, Any]:
    done = here(*args, "--json")
    values: dict[str, Any] = json.loads(done.stdout)
    assert values["exit_code"] == done.exit_code
    return values


@pytest.fixture
def three(tmp_path: Path) -> Path:
    return three_articles(tmp_path / "data")


# crawl


def test_a_first_crawl_begins_with_its_seeds(tmp_path: Path) -> None:
    seeds = [f"{name}.techidaily.com" for name in ("one", "two")]
    found = result("crawl", *seeds, f"https://{seeds[0]}/bread/", "--dry-run", "--data", tmp_path / "new")
    assert found["hosts"] == [{"host": seeds[0], "pages": 2}, {"host": seeds[1], "pages": 1}]
    assert (found["pages"], found["delay"], found["rate"], found["seconds"]) == (3, 1, 4, 2)
    assert not (tmp_path / "new").exists()


def test_the_pages_that_are_due_are_those_that_a_crawl_fetches(
    run: Run, network: Path, tmp_path: Path
) -> None:
    data = shutil.copytree(run.data, tmp_path / "data")
    before = contents(data)
    with Site(network) as site:
        command: list[str | Path] = [
            "crawl",
            SEED,
            "--connect-to",
            site.url,
            "--recrawl",
            "all",
            "--host",
            "k*",
            "--data",
            data,
        ]
        due = json.loads(alsoread(*command, "--dry-run", "--json").stdout)
        assert site.log == []
        assert contents(data) == before
        crawled = json.loads(alsoread(*command, "--json").stdout)["crawl"]
    assert due["pages"] == crawled["pages"] > 10
    assert due["hosts"] == [{"host": "kitchen-notes.techidaily.com", "pages": due["pages"]}]


def test_nothing_is_due_after_a_crawl(run: Run) -> None:
    assert result("crawl", SEED, "--dry-run", "--data", run.data)["pages"] == 0


def test_the_duration_is_that_of_the_slowest_host_or_of_the_rate(tmp_path: Path) -> None:
    links = [f"https://one.techidaily.com/{number}/" for number in range(40)]
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("\n".join([*links, "two.techidaily.com"]))
    command = ("crawl", seeds, "--dry-run", "--data", tmp_path / "new")
    assert result(*command, "--delay", "30", "--rate", "0")["seconds"] == 40 * 30
    assert result(*command, "--delay", "0", "--rate", "0.01")["seconds"] == 41 * 100
    limited = result(*command, "--delay", "30", "--rate", "0", "--max-pages", "5")
    assert (limited["pages"], limited["seconds"]) == (5, 4 * 30)  # the other host has its turn


def test_failed_pages_and_hosts_that_are_left_alone(three: Path) -> None:
    with closing(sqlite3.connect(three / "archive.db")) as db, db:
        db.execute("UPDATE pages SET due_at = '2999-01-01T00:00:00.000Z', state = 'failed', attempts = 9")
        db.execute("UPDATE hosts SET not_before = '2999-01-01T00:00:00.000Z' WHERE host LIKE 'two.%'")
    command = ("crawl", ROLLS, "--dry-run", "--data", three)
    assert result(*command)["hosts"] == [{"host": "one.techidaily.com", "pages": 1}]
    retried = result(*command, "--retry-failed")
    assert [host["pages"] for host in retried["hosts"]] == [2, 1]
    assert retried["failures"] == []
    recrawled = result(*command, "--recrawl", "all")
    assert [host["pages"] for host in recrawled["hosts"]] == [2]
    assert [failure["name"] for failure in recrawled["failures"]] == ["two.techidaily.com"]
    text = here(*command, "--recrawl", "all").stdout
    assert "two.techidaily.com is left alone until 2999-01-01 00:00 UTC." in text
    assert text.endswith("Dry run: nothing was changed.\n")


# export


def test_an_export_writes_and_removes_what_was_announced(three: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert len(result("export", out, "--data", three, "--dry-run")["to_write"]) == 3
    assert not out.exists()
    here("export", out, "--data", three)
    (out / "one.techidaily.com" / "rolls.md").write_text("edited")
    make_archive(three, replace(ARTICLE, body="More bread."))
    before = contents(out)
    command = ("export", out, "--data", three, "--prune", "--where", "url NOT LIKE '%jam%'")
    announced = result(*command, "--dry-run")
    assert contents(out) == before
    assert announced.pop("to_write") == ["one.techidaily.com/bread.md"]
    assert announced.pop("to_remove") == ["two.techidaily.com/jam.md"]
    assert announced == result(*command)
    assert announced["failures"] == [
        {
            "name": "one.techidaily.com/rolls.md",
            "reason": "was not written by export, or changed since",
        }
    ]


def test_an_export_is_announced_while_its_manifest_is_only_read(three: Path, tmp_path: Path) -> None:
    here("export", tmp_path / "out", "--data", three)
    folder = tmp_path / "out" / ".alsoread-export"
    names = sorted(path.name for path in folder.iterdir())
    done = here("export", tmp_path / "out", "--data", three, "--dry-run")
    assert (
        "0 files to write, 3 unchanged, 0 to remove, 0 to keep. Dry run: nothing was changed." in done.stdout
    )
    assert sorted(path.name for path in folder.iterdir()) == names


# import


def test_an_import_does_what_was_announced(three: Path, tmp_path: Path) -> None:
    posts = tmp_path / "posts"
    write(
        posts / "same.md",
        replace(ARTICLE, url=ROLLS, title="Rolls", tags=["rolls"], also_read=[], body="Rolls."),
    )
    write(
        posts / "changed.md",
        replace(ARTICLE, body="Other bread.", updated=LATER),
    )
    write(posts / "new.md", replace(ARTICLE, url="https://one.techidaily.com/cake/"))
    write(posts / "twin.md", replace(ARTICLE, url="https://one.techidaily.com/cake/"))
    (posts / "broken.md").write_text("text")
    before = contents(three)
    command = ("import", posts, "--data", three)
    announced = result(*command, "--dry-run")
    assert contents(three) == before
    kinds = {kind: announced[kind] for kind in ("new", "changed", "unchanged", "refused")}
    assert kinds == {"new": 1, "changed": 1, "unchanged": 1, "refused": 2}
    assert announced == result(*command)


def test_an_import_into_no_archive_is_announced_without_making_one(three: Path, tmp_path: Path) -> None:
    done = here("import", three / "articles", "--data", tmp_path / "new", "--dry-run")
    assert done.stdout.startswith("3 articles: 3 new, 0 changed, 0 unchanged; 0 files could not be used.\n")
    assert not (tmp_path / "new").exists()


# merge


def test_a_merge_does_what_was_announced(three: Path, tmp_path: Path) -> None:
    archive(tmp_path / "other", replace(ARTICLE, url="https://one.techidaily.com/cake/"))
    archive(tmp_path / "other", replace(ARTICLE, body="Other bread.", updated=LATER))
    before = contents(three)
    command = ("merge", tmp_path / "other" / "archive.db", "--data", three)
    announced = result(*command, "--dry-run")
    assert contents(three) == before
    assert announced == result(*command)
    assert (announced["merged"][0]["articles"], announced["merged"][0]["newer"]) == (1, 1)
    assert contents(three) != before


def test_what_can_not_be_merged_can_not_be_announced(three: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("text")
    found = result("merge", tmp_path / "broken.db", "--data", three, "--dry-run")
    assert (found["merged"], found["exit_code"]) == ([], 7)
    assert [failure["name"] for failure in found["failures"]] == [str(tmp_path / "broken.db")]


# What leaves nothing behind


@pytest.mark.parametrize(
    "args",
    [
        ("export", "{new}/out", "--path", "{{hots}}.md"),
        ("export", "{new}/out", "--path", "../{{slug}}.md"),
        ("export", "{new}/out.zip", "--to", "zip", "--path", "{{hots}}.md"),
        ("export", "{new}/out", "--where", "nonsense"),
        ("export", "{new}/out", "--since", "soon"),
        ("export", "{new}/out.zip", "--to", "zip", "--dry-run"),
        ("import", "{empty}", "--data", "{new}"),
        ("import", "{articles}", "--data", "{new}", "--host", "example.org"),
        ("import", "{articles}", "--data", "{new}", "--host", "not a host"),
        ("rebuild", "--data", "{new}"),
        ("merge", "{archive}", "--data", "{new}"),
        ("images", "--data", "{new}"),
        ("accept", SEED, "--data", "{new}"),
        ("maintain", "--data", "{new}"),
        ("crawl", "not a seed", "--data", "{new}"),
        ("crawl", "example.org", "--data", "{new}"),
        ("crawl", "not a seed", "--data", "{new}", "--dry-run"),
        ("schedule", "--data", "{new}"),
        ("schedule", "--json", "--every", "12h", "--data", "{new}"),
    ],
    ids=" ".join,
)
def test_a_usage_error_leaves_nothing_behind(three: Path, tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "empty").mkdir()
    places = {
        "new": tmp_path / "new",
        "empty": tmp_path / "empty",
        "articles": three / "articles",
        "archive": three / "archive.db",
    }
    given = [arg.format(**places) for arg in args]
    done = here(*given, *(() if "--data" in given else ("--data", three)))
    assert done.exit_code == 2, done.output
    assert not (tmp_path / "new").exists()
