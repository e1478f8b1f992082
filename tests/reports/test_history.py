"""The history of an article and its diffs, as the commands print them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crawler.items import Visit
from pipelines.archive.catalog import Catalog
from tests.support.visits import BREAD, MakeArticle, alsoread, crawl, failed, json_of, output_of, stored


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
