"""The history of an article, its diffs, and the failed pages, as the commands print them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crawler.cli import main
from crawler.items import Article, Image, Visit
from pipelines.archive.catalog import Catalog
from tests.conftest import ARTICLE

MakeArticle = Callable[..., Article]
BREAD = "https://one.techidaily.com/bread/"
OTHER = Image("https://pictures.example/other.jpg")
HOSTILE = "Bread \x1b]52;c;aGk=\x07 \x1b[2J \u202edaerB"
STEERING = {*map(chr, (*range(9), *range(11, 32), *range(127, 160), 0x61C, 0x200E, 0x200F))}
STEERING |= {*map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))}


def stored(article: Article) -> Visit:
    return Visit(url=article.url, state="stored", status=200, article=article)


def failed(url: str, reason: str = "no answer", **facts: Any) -> Visit:
    return Visit(url=url, state="failed", reason=reason, **facts)


def crawl(data: Path, *visits: Visit) -> None:
    """Store a crawl with these visits."""
    catalog = Catalog(data / "archive.db", scope=["techidaily.com"], retry_delays=[600, 600])
    for visit in visits:
        catalog.add(visit)
    catalog.close("finished", requests={}, received=0)


def alsoread(data: Path, *args: str) -> Result:
    return CliRunner().invoke(main, [*args, "--data", str(data)], catch_exceptions=False)


def output_of(data: Path, *args: str) -> str:
    done = alsoread(data, *args)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def json_of(data: Path, *args: str) -> Any:
    return json.loads(output_of(data, *args, "--json"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one article: three revisions of five crawls."""
    folder = tmp_path_factory.mktemp("archive")
    second = replace(ARTICLE, title="Better bread")
    third = replace(second, author="Bob", body="Use *weak* flour.", images=[OTHER])
    for version in (ARTICLE, second, replace(second, also_read=[]), third, third):
        crawl(folder, stored(version))
    return folder


@pytest.fixture
def data(archive: Path, tmp_path: Path) -> Path:
    """A copy of that archive, to change."""
    shutil.copy(archive / "archive.db", tmp_path)
    return tmp_path


def test_history_has_every_revision_the_current_one_first(data: Path) -> None:
    revisions = json_of(data, "history", BREAD)["revisions"]
    assert [
        [revision[key] for key in ("number", "crawl", "title", "words", "changes")] for revision in revisions
    ] == [
        [3, 4, "Better bread", 3, ["author", "body", "images"]],
        [2, 2, "Better bread", 7, ["title"]],
        [1, 1, "[New] Bread: a beginner's guide", 7, []],
    ]
    assert revisions[0]["replaced_at"] is None
    for newer, older in pairwise(revisions):
        assert older["archived_at"] < older["replaced_at"] == newer["archived_at"]


def test_history_is_plain_text_in_a_pipe(data: Path) -> None:
    title, head, *rows, standing = output_of(
        data, "history", "articles/one.techidaily.com/bread.md"
    ).splitlines()
    assert title == "Better bread"
    assert head.split() == ["rev", "words", "crawl", "archived", "(UTC)", "until", "changed", "title"]
    assert rows[0].split()[:3] == ["3", "3", "4"]
    assert rows[0].rstrip().endswith("now               author, body, images  Better bread")
    assert rows[1].rstrip().endswith("title                 Better bread")
    assert rows[2].rstrip().endswith("[New] Bread: a beginner's guide")
    assert len(rows) == 3
    assert standing.startswith("Last confirmed: 20")


def test_history_shows_when_the_copy_was_last_confirmed(data: Path) -> None:
    before = json_of(data, "history", BREAD)
    crawl(data, Visit(url=BREAD, state="stored", status=304))
    after = json_of(data, "history", BREAD)
    assert after["confirmed_at"] > before["confirmed_at"] > after["revisions"][0]["archived_at"]
    assert after["revisions"] == before["revisions"]


def test_history_shows_since_when_a_page_is_gone(data: Path) -> None:
    gone = Visit(url=BREAD, state="gone", status=404, reason="the server answers 404 Not Found")
    crawl(data, gone)
    first = json_of(data, "history", BREAD)
    crawl(data, gone)
    page = json_of(data, "history", BREAD)
    assert (page["state"], page["status"], page["confirmed_at"]) == ("gone", 404, None)
    assert first["gone_at"] == page["gone_at"] < page["fetched_at"]
    day = page["gone_at"][:16].replace("T", " ")
    standing = output_of(data, "history", BREAD).splitlines()[-1]
    assert standing == (
        f"The page has been gone since {day} UTC: the server answers 404 Not Found. The archived copy is kept."
    )
    crawl(data, failed(BREAD))
    standing = output_of(data, "history", BREAD).splitlines()[-1]
    assert standing.startswith("The last visit failed: no answer. The page last answered 20")
    assert standing.endswith(f", and had been gone since {day} UTC.")


def test_history_shows_that_a_page_failed_or_moved(data: Path) -> None:
    crawl(data, failed(BREAD))
    assert "The last visit failed: no answer. The page last answered 20" in output_of(data, "history", BREAD)
    away = "https://one.techidaily.com/loaves/"
    crawl(data, Visit(url=BREAD, state="not_article", reason=f"redirects to {away}", moved_to=away))
    assert f"The page is no longer an article: redirects to {away} (20" in output_of(data, "history", BREAD)


def test_diff_shows_the_newest_change(data: Path) -> None:
    old, new, *lines = output_of(data, "diff", BREAD).splitlines()
    assert old.startswith("--- one.techidaily.com/bread.md\trevision 2, 20")
    assert new.startswith("+++ one.techidaily.com/bread.md\trevision 3, 20")
    assert [line for line in lines if not line.startswith(" ")] == [
        "@@ -1,16 +1,11 @@",
        "-author: Ada Baker",
        "+author: Bob",
        "-- url: https://pictures.example/loaf.jpg",
        "-  alt: A loaf",
        "+- url: https://pictures.example/other.jpg",
        "-## Flour",
        "-",
        "-Use *strong* flour.",
        "-",
        "-![A loaf](https://pictures.example/loaf.jpg)",
        "+Use *weak* flour.",
    ]


def test_diff_shows_the_given_revision(data: Path) -> None:
    lines = output_of(data, "diff", BREAD, "2").splitlines()
    assert [line for line in lines[2:] if not line.startswith(" ")] == [
        "@@ -1,6 +1,6 @@",
        "-title: '[New] Bread: a beginner''s guide'",
        "+title: Better bread",
    ]


def test_diff_shows_each_kind_of_change(tmp_path: Path, article: MakeArticle) -> None:
    versions = [
        article(),
        article(title=None),
        article(title=None, author=None, date=datetime(2024, 8, 17, tzinfo=UTC)),
        article(title=None, author=None, images=[]),
        article(title=None, author=None, images=[], body="---\n+++"),
    ]
    crawl(tmp_path, *(stored(version) for version in versions))
    changed = [
        [
            line
            for line in output_of(tmp_path, "diff", BREAD, str(number)).splitlines()[2:]
            if line.startswith(("+", "-"))
        ]
        for number in (2, 3, 4, 5)
    ]
    assert changed == [
        ["-title: '[New] Bread: a beginner''s guide'"],
        ["-author: Ada Baker", "-date: 2024-08-16T04:52:24.115Z", "+date: 2024-08-17T00:00:00.000Z"],
        [
            "-date: 2024-08-17T00:00:00.000Z",
            "+date: 2024-08-16T04:52:24.115Z",
            "-images:",
            "-- url: https://pictures.example/loaf.jpg",
            "-  alt: A loaf",
        ],
        [
            "-## Flour",
            "-",
            "-Use *strong* flour.",
            "-",
            "-![A loaf](https://pictures.example/loaf.jpg)",
            "+---",
            "++++",
        ],
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["diff", BREAD, "1"],
            f"Revision 1 of {BREAD} is the first: none is before it; choose one from 2 to 3.",
        ),
        (["diff", BREAD, "4"], f"Revision 4 of {BREAD} does not exist; choose one from 2 to 3."),
        (["diff", BREAD, "0"], f"Revision 0 of {BREAD} does not exist; choose one from 2 to 3."),
        (["diff", BREAD, "first"], "'first' is not a valid integer."),
        (["diff", f"{BREAD}x"], f"No article {BREAD}x is in the archive: `alsoread status` tells what is."),
        (["history", "jam.md"], "No article jam.md is in the archive: `alsoread status` tells what is."),
        (["status", "--all"], "--all needs --failed."),
    ],
)
def test_a_mistake_is_reported(data: Path, arguments: list[str], message: str) -> None:
    done = alsoread(data, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.rstrip().endswith(message)


def test_an_article_that_never_changed_has_no_diff(tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path, stored(article()))
    done = alsoread(tmp_path, "diff", BREAD)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"alsoread: {BREAD} has only one revision: it has not changed since it was archived.\n"
    )


def on_terminal(data: Path, *arguments: str) -> str:
    """Return what a command prints on a terminal."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "crawler", *arguments, "--data", str(data)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    shown = b""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the other end was closed: Linux says EIO
            pass
    os.close(ours)
    return shown.decode()


def test_no_text_steers_a_terminal(tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path, stored(article()), stored(article(title=HOSTILE, body=f"{HOSTILE}\n\ttab")))
    crawl(tmp_path, failed("https://one.techidaily.com/rolls/", HOSTILE))
    for command in (["history", BREAD], ["diff", BREAD], ["show", BREAD], ["status", "--failed"], ["status"]):
        assert not STEERING & set(output_of(tmp_path, *command)), command
    assert "\n+Bread \\x1b]52;c;aGk=\\x07 \\x1b[2J \\u202edaerB\n+\ttab\n" in output_of(
        tmp_path, "diff", BREAD
    )


def test_json_has_the_exact_text_and_steers_no_terminal(tmp_path: Path, article: MakeArticle) -> None:
    every = "".join(sorted(STEERING))
    crawl(tmp_path, stored(article(title=every)), failed("https://one.techidaily.com/rolls/", every))
    history, failed_pages = (
        output_of(tmp_path, *command)
        for command in (["history", BREAD, "--json"], ["status", "--failed", "--json"])
    )
    assert not STEERING & set(history + failed_pages)
    assert json.loads(history)["revisions"][0]["title"] == every
    assert json.loads(failed_pages)["pages"][0]["error"] == every


def test_an_error_names_a_hostile_file_safely(tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path, stored(article()))
    done = alsoread(tmp_path, "show", "https://one.techidaily.com/\x1b[2J\u202e")
    assert done.exit_code
    assert not STEERING & set(done.stderr)


def test_an_article_does_not_steer_the_terminal(tmp_path: Path, article: MakeArticle) -> None:
    body = f"{HOSTILE} &#x202e;here\n\n    {HOSTILE}\n\n![&#x202e;x](/x)\n\n- [{HOSTILE}](/x '{HOSTILE}')"
    crawl(
        tmp_path,
        stored(article(title=f"[/] {HOSTILE}", author="[/]", body=body, extra={f"[/]{HOSTILE}": "[/]"})),
    )
    shown = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\|\r\n", " ", on_terminal(tmp_path, "show", BREAD))
    assert not STEERING & set(shown)
    assert r"\u202ehere" in shown
    assert shown.count("[/]") == 4, "markup of the program that lays it out is text"


def test_a_diff_is_coloured_and_does_not_steer_the_terminal(tmp_path: Path, article: MakeArticle) -> None:
    crawl(tmp_path, stored(article()), stored(article(body=f"{HOSTILE}\n\n---")))
    lines = on_terminal(tmp_path, "diff", BREAD).split("\r\n")
    assert lines[0].startswith("\x1b[1m--- one.techidaily.com/bread.md")
    assert "\x1b[31m-## Flour\x1b[0m" in lines
    assert "\x1b[32m+Bread \\x1b]52;c;aGk=\\x07 \\x1b[2J \\u202edaerB\x1b[0m" in lines
    assert "\x1b[32m+---\x1b[0m" in lines


def test_status_lists_failed_pages_the_worst_host_first(tmp_path: Path, article: MakeArticle) -> None:
    one, two = "https://one.techidaily.com", "https://two.techidaily.com"
    crawl(
        tmp_path, stored(article()), failed(f"{one}/rolls/"), failed(f"{two}/jelly/"), failed(f"{two}/jam/")
    )
    crawl(tmp_path, failed(f"{two}/jelly/", "the server answers 503", status=503, retry_after=86400))
    found = json_of(tmp_path, "status", "--failed")
    assert found["failed"] == 3
    assert [
        [page[key] for key in ("url", "host", "status", "attempts", "error")] for page in found["pages"]
    ] == [
        [f"{two}/jelly/", "two.techidaily.com", 503, 2, "the server answers 503"],
        [f"{two}/jam/", "two.techidaily.com", None, 1, "no answer"],
        [f"{one}/rolls/", "one.techidaily.com", None, 1, "no answer"],
    ]
    asked_for, held_back, soon = (page["next_try"] for page in found["pages"])
    assert asked_for == held_back > soon, "a host that asked to be left alone holds back all its pages"
    count, head, *rows, advice = output_of(tmp_path, "status", "--failed").splitlines()
    assert count == "Failed pages: 3, hosts: 2"
    assert head.split() == ["tries", "next", "try", "(UTC)", "last", "error", "page"]
    assert [row.split()[-1] for row in rows] == [page["url"] for page in found["pages"]]
    assert advice == f"Retry them now: alsoread crawl --retry-failed --data {tmp_path}"


def test_status_lists_fifty_failed_pages_unless_all_are_asked_for(tmp_path: Path) -> None:
    crawl(tmp_path, *(failed(f"https://one.techidaily.com/{number}/") for number in range(52)))
    first = output_of(tmp_path, "status", "--failed")
    assert first.count("https://") == 50
    assert f"2 more: alsoread status --failed --all --data {tmp_path}\n" in first
    every = output_of(tmp_path, "status", "--failed", "--all")
    assert every.count("https://") == 52
    assert "more: " not in every
    assert len(json_of(tmp_path, "status", "--failed")["pages"]) == 52


def test_status_without_failed_pages(data: Path) -> None:
    assert output_of(data, "status", "--failed") == "No failed pages.\n"
    assert json_of(data, "status", "--failed") == {"failed": 0, "pages": []}


def test_status_as_json(data: Path) -> None:
    found = json_of(data, "status")
    assert {key: found[key] for key in ("articles", "hosts", "words", "pages")} == {
        "articles": 1,
        "hosts": 1,
        "words": 3,
        "pages": {"stored": 1, "due": 2},
    }
    assert found["last_crawl"]["id"] == 5


def test_a_removed_link_keeps_the_time_it_was_last_seen(catalog: Catalog, article: MakeArticle) -> None:
    def links() -> dict[str, dict[str, Any]]:
        return {row["target"]: row for row in catalog.db.query("SELECT * FROM also_read_links")}

    rolls, jam = (link.url for link in article().also_read)
    catalog.add(stored(article()))
    before = links()
    catalog.add(stored(article(also_read=article().also_read[1:])))
    after = links()
    assert (after[rolls]["position"], after[rolls]["last_seen"]) == (None, before[rolls]["last_seen"])
    assert (after[jam]["position"], after[jam]["last_seen"] > before[jam]["last_seen"]) == (1, True)
    catalog.add(stored(article()))
    assert links()[rolls]["position"] == 1
